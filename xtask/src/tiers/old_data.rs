//! Checks that the program reads all data that an older version has stored.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::checkout::{self, Checkout};
use super::figures::Figures;
use super::server::Server;
use crate::process::{Failure, command, output, root};
use crate::program;

/// The last commit before the first release, as long as no release is tagged.
const OLDEST: &str = "2cd70b6";
const POLICIES: usize = 50;

pub(super) fn upgrade(figures: &mut Figures) -> Result<(), Failure> {
    let tag = output(command("git").args(["describe", "--tags", "--abbrev=0", "--match", "v*"]));
    let commit = checkout::commit(tag.as_deref().unwrap_or(OLDEST))?;
    let old = Checkout::new("old", &commit)?.build()?;
    let new = program::build_trial()?;
    let folder = root().join("target/long/data");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| error.to_string())?;
    }

    let server = Server::start(&old, &folder)?;
    let stored = fill(&server, "old")?;
    let before = read(&server, &stored)?;
    drop(server);
    let server = Server::start(&new, &folder)?;
    let after = read(&server, &stored)?;
    if before != after {
        return Err(format!("what was stored has changed:\n{before:?}\n{after:?}"));
    }
    fill(&server, "new")?;
    drop(server);

    figures.add("written by", tag.unwrap_or(commit));
    figures.add("objects read as they were written", stored.len());
    figures.add("journal over both versions", verify_journal(&new, &folder)?);
    Ok(())
}

/// Creates policies and a service account, and returns the paths at which they are read.
fn fill(server: &Server, prefix: &str) -> Result<Vec<String>, Failure> {
    let mut paths = Vec::new();
    for number in 0..POLICIES {
        let policy = json!({
            "name": format!("{prefix}-{number}"), "description": "é \"", "identities": [],
            "resources": [{"urn": "urn:v1:eu:resource:vps:*"}],
            "permissions": {"allow": [{"action": "vps:apiovh:reboot"}]},
            "conditions": {"operator": "MATCH", "values": {"resource.Tag(env)": "production"}},
        });
        paths.push(format!(
            "/v2/iam/policy/{}",
            id(&server.post("/v2/iam/policy", &policy)?, "id")?
        ));
    }
    let account = json!({"name": prefix, "description": "old", "flow": "CLIENT_CREDENTIALS"});
    let account = server.post("/v1/me/api/oauth2/client", &account)?;
    paths.push(format!("/v1/me/api/oauth2/client/{}", id(&account, "clientId")?));
    Ok(paths)
}

fn read(server: &Server, paths: &[String]) -> Result<Vec<Value>, Failure> {
    paths.iter().map(|path| server.get(path)).collect()
}

fn id(object: &Value, key: &str) -> Result<String, Failure> {
    let id = object.get(key).and_then(Value::as_str).map(str::to_owned);
    id.ok_or_else(|| format!("no {key} in {object}"))
}

fn verify_journal(program: &Path, folder: &Path) -> Result<String, Failure> {
    let database = format!("sqlite:{}", folder.join("gatewright.db").display());
    output(
        command(program)
            .args(["journal", "verify", "--database", &database, "--master-key"])
            .arg(folder.join("master.key")),
    )
}
