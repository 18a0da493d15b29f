//! Checks that pure code depends on its arguments only: no clock, randomness, files, environment,
//! network or threads.

use super::mention::What;
use super::modules::{Crate, Module};

/// The paths that pure code must not use, with the effect that each stands for.
const IMPURE: &[(&[&str], &str)] = &[
    (&["SystemTime"], "the clock"),
    (&["Instant", "now"], "the clock"),
    (&["Timestamp", "now"], "the clock"),
    (&["Zoned", "now"], "the clock"),
    (&["clock"], "the clock"),
    (&["zxcvbn"], "the clock"),
    (&["hash", "RandomState"], "randomness"),
    (&["rand"], "randomness"),
    (&["fastrand"], "randomness"),
    (&["getrandom"], "randomness"),
    (&["thread_rng"], "randomness"),
    (&["Uuid", "new_v4"], "randomness"),
    (&["Uuid", "now_v7"], "the clock and randomness"),
    (&["std", "fs"], "files"),
    (&["File"], "files"),
    (&["std", "env"], "the environment"),
    (&["TcpStream"], "the network"),
    (&["TcpListener"], "the network"),
    (&["UdpSocket"], "the network"),
    (&["std", "process"], "processes"),
    (&["std", "thread"], "threads"),
    (&["thread", "spawn"], "threads"),
    (&["tokio"], "threads"),
];

/// Code that must be pure.
pub(crate) struct Pure {
    /// A module with all modules below it: the path of its file without the extension.
    pub(crate) module: &'static str,
    /// The files in it that need not be pure, with the reason.
    pub(crate) except: &'static [(&'static str, &'static str)],
}

impl Pure {
    fn covers(&self, file: &str) -> bool {
        let below = file.strip_prefix(self.module);
        below.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            && !self.except.iter().any(|(exception, _)| *exception == file)
    }
}

/// Finds forbidden paths in the pure modules of a crate.
pub(crate) fn faults(of: &Crate, pure: &[Pure]) -> Vec<String> {
    let modules = of.modules.values();
    let covered = modules.filter(|module| pure.iter().any(|area| area.covers(&module.file)));
    covered.flat_map(faults_of).collect()
}

fn faults_of(module: &Module) -> Vec<String> {
    let imports = module.imports.iter().map(|import| (import.path.clone(), import.line));
    let paths = module.mentions.iter().filter_map(|mention| match &mention.what {
        What::Path { segments, .. } if segments.len() > 1 => {
            Some((full(module, segments), mention.line))
        }
        _ => None,
    });
    let mut faults: Vec<String> = imports
        .chain(paths)
        .filter_map(|(path, line)| {
            let hit = |(parts, _): &&(&[&str], &str)| {
                path.windows(parts.len()).any(|window| window == *parts)
            };
            let (_, what) = IMPURE.iter().find(hit)?;
            let path = path.join("::");
            Some(format!("{}:{line}: {path} is {what}, and this is pure", module.file))
        })
        .collect();
    faults.dedup();
    faults
}

/// Expands the first name of a path to the path that the module imports it from.
fn full(module: &Module, path: &[String]) -> Vec<String> {
    let Some((first, rest)) = path.split_first() else { return Vec::new() };
    let import = module.imports.iter().find(|import| import.name == *first);
    import.map_or_else(|| path.to_vec(), |import| [&import.path, rest].concat())
}
