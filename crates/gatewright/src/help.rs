//! Shows, in the help of an operator's command, the settings that matter to it.

use clap::Command;

/// The commands that read the settings of the server, with those that matter to them. The others
/// are accepted as well, since they stand in the same file.
const COMMANDS: &[(&str, &str, &[&str])] = &[
    ("account", "create", &["region", "registrars"]),
    ("account", "reset-second-factor", &[]),
    ("key", "rotate", &["algorithm"]),
    ("journal", "verify", &[]),
    ("policy", "lint", &[]),
];

/// The settings that matter to every command.
const ALWAYS: &[&str] = &["config", "database", "master_key", "database_timeout"];

const OTHERS: &str = "The other settings of the server are accepted, and have no effect here: see \
                      `gatewright serve --help`";

/// Hides the other settings in the help of the commands.
pub(crate) fn with_settings_that_matter(command: Command) -> Command {
    COMMANDS.iter().fold(command, |command, &(group, name, settings)| {
        command.mut_subcommand(group, |group| {
            group.mut_subcommand(name, |command| {
                let command = command.mut_args(|argument| {
                    let id = argument.get_id().as_str();
                    let matters = settings.contains(&id) || ALWAYS.contains(&id);
                    // The arguments of the command itself have no variable.
                    let is_setting = argument.get_env().is_some();
                    if is_setting && !matters { argument.hide(true) } else { argument }
                });
                command.after_help(OTHERS)
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::Arguments;

    #[test]
    fn a_command_shows_the_settings_that_matter_to_it() {
        let mut command = with_settings_that_matter(Arguments::command());
        command.build();
        for &(group, name, settings) in COMMANDS {
            let group = command.find_subcommand_mut(group).unwrap();
            let help = group.find_subcommand_mut(name).unwrap().render_help().to_string();
            for setting in ALWAYS.iter().chain(settings) {
                assert!(help.contains(&format!("--{}", setting.replace('_', "-"))), "{help}");
            }
            assert!(!help.contains("--listen") && !help.contains("--max-"), "{help}");
            assert!(help.contains("gatewright serve --help"), "{help}");
        }
        let serve = command.find_subcommand_mut("serve").unwrap().render_help().to_string();
        assert!(serve.contains("--listen") && serve.contains("--max-policies"), "{serve}");
    }
}
