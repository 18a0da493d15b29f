//! The README's commands, run as they stand.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use gatewright_testing::{TestDatabase, on_both_databases};

use crate::programs::Running;
use crate::server::{ACCOUNT, PROGRAM, Server};

const README: &str = include_str!("../../../../README.md");
const MARK: &str = "----8<----";

/// Returns each block of commands, with the block of its output if one follows.
fn steps() -> Vec<(String, Option<String>)> {
    let mut steps = Vec::new();
    let mut blocks = README.split("```");
    // Text and blocks alternate.
    while let (Some(between), Some(block)) = (blocks.next(), blocks.next()) {
        let (language, text) = block.split_once('\n').unwrap();
        let text = text.trim_end().to_owned();
        match language {
            "sh" => steps.push((text, None)),
            "" if between == "\n" => {
                if let Some((_, answer)) = steps.last_mut() {
                    *answer = Some(text);
                }
            }
            _ => {}
        }
    }
    steps
}

/// Checks whether a text is as expected, where `…` stands for any run of characters.
fn fits(expected: &str, text: &str) -> bool {
    let mut parts = expected.split('…');
    let Some(mut rest) = parts.next().and_then(|head| text.strip_prefix(head)) else {
        return false;
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.is_empty() || expected.ends_with('…')
}

on_both_databases!(the_walk_of_the_readme_goes_as_it_says);
async fn the_walk_of_the_readme_goes_as_it_says(database: TestDatabase) {
    let server = Server::start(&database);
    let steps = steps();
    assert!(steps.len() >= 8, "{}", steps.len());
    let end = format!("\necho\necho '{MARK}'\n");
    let script =
        steps.iter().map(|(lines, _)| lines.as_str()).collect::<Vec<_>>().join(&end) + end.as_str();
    let output = Command::new("bash")
        .args(["-eu", "-c", &script])
        .env("URL", &server.url)
        .env("ACCOUNT", ACCOUNT)
        .env("CLIENT_ID", &server.client_id)
        .env("CLIENT_SECRET", &server.client_secret)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{errors}");
    assert_eq!(said.matches(MARK).count(), steps.len(), "{said}");
    for ((lines, expected), answer) in steps.iter().zip(said.split(MARK)) {
        if let Some(expected) = expected {
            assert!(
                fits(expected, answer.trim()),
                "{lines}\nanswered\n{answer}\ninstead of\n{expected}"
            );
        }
    }
}

/// Returns the commands for production, with their folders inside another.
fn production(folder: &std::path::Path) -> String {
    let (_, rest) = README.split_once("```bash\n").unwrap();
    let (commands, _) = rest.split_once("```").unwrap();
    let root = folder.display().to_string();
    let commands = commands.replace("/etc/", &format!("{root}/etc/"));
    commands.replace("/var/", &format!("{root}/var/"))
}

#[test]
fn the_commands_for_production_go_in_the_order_in_which_they_stand() {
    let folder = tempfile::tempdir().unwrap();
    let script = production(folder.path());
    let (before, serve) = script.trim_end().rsplit_once('\n').unwrap();
    assert!(serve.starts_with("gatewright serve"), "{serve}");
    let programs = std::path::Path::new(PROGRAM).parent().unwrap().display().to_string();
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap());
    let shell = |script: &str| {
        let mut command = Command::new("bash");
        command.args(["-eu", "-c", script]).env("PATH", &path);
        command
    };
    let output = shell(before).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("client secret"), "{said}");
    let mut server = shell(&format!("exec {serve}"));
    server
        .env("GATEWRIGHT_LISTEN", "127.0.0.1:0")
        .env("GATEWRIGHT_OPERATIONS_LISTEN", "127.0.0.1:0");
    let mut server = server.stderr(Stdio::piped()).spawn().map(Running).unwrap();
    let log = BufReader::new(server.0.stderr.take().unwrap()).lines();
    let mut lines: Vec<String> = Vec::new();
    for line in log.map_while(Result::ok) {
        lines.push(line);
        if lines.last().is_some_and(|line| line.contains("\"ready\"")) {
            break;
        }
    }
    assert!(
        lines.iter().all(|line| !line.contains("ERROR") && !line.starts_with("gatewright:")),
        "{lines:?}"
    );
    assert!(lines.last().is_some_and(|line| line.contains("\"ready\"")), "{lines:?}");
}
