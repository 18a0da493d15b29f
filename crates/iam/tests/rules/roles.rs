//! Compares the table of roles and actions with the decisions of the engine.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use gatewright_iam::{Action, Context, Expiry, GroupInput, GroupName, Login, Role, UserTokenInput};

use crate::installation::{ACCOUNT, Installation};

const FILE: &str = "../../docs/roles.md";

/// The variable that makes the test renew the file instead of comparing it.
const WRITE: &str = "GATEWRIGHT_WRITE_DOCS";

const ROLES: [(&str, Role); 4] = [
    ("ADMIN", Role::Admin),
    ("DEFAULT", Role::Regular),
    ("UNPRIVILEGED", Role::Unprivileged),
    ("none", Role::None),
];

const HEAD: &str = "# Roles

This table shows which actions each role allows on all resources of the account, as the policy engine
decides without further policies. A group of users has one role. `ADMIN`, `DEFAULT` and `UNPRIVILEGED` are
the built-in groups of an account; the last column is a group without a role. The owner of the account is
root and is allowed everything.

This file is generated: `GATEWRIGHT_WRITE_DOCS=1 cargo test -p gatewright-iam --test rules roles` renews it.
";

/// Creates a user in a group of each role; returns the contexts of their requests.
async fn users(installation: &Installation) -> Vec<Context> {
    let (iam, owner) = (&installation.iam, installation.owner());
    let mut users = Vec::new();
    for (name, role) in ROLES {
        let built_in = role != Role::None;
        if !built_in {
            let group = GroupInput { name: name.to_owned(), description: None, role: Some(role) };
            iam.create_group(&owner, Ok(group)).await.unwrap();
        }
        assert_eq!(iam.group(&owner, &GroupName::new(name)).await.unwrap().role, role);
        installation.user(name, &[name]).await;
        let token = UserTokenInput {
            name: "t".to_owned(),
            description: String::new(),
            expiry: Expiry::Never,
        };
        let (_, secret) =
            iam.create_user_token(&owner, &Login::new(name), Ok(token)).await.unwrap();
        users.push(installation.context_of(&secret).await.unwrap());
    }
    users
}

async fn table(installation: &Installation) -> String {
    let users = users(installation).await;
    let catalogue = installation.iam.catalogue();
    let mut by_type: BTreeMap<&str, Vec<&Action>> = BTreeMap::new();
    for action in catalogue.actions(None) {
        by_type.entry(action.resource_type()).or_default().push(action);
    }
    let mut text = HEAD.to_owned();
    for (resource_type, actions) in by_type {
        let name = if resource_type == "account" { ACCOUNT } else { "any" };
        let urn = format!("urn:v1:eu:resource:{resource_type}:{name}");
        let names: Vec<String> = actions.iter().map(|action| action.name.to_string()).collect();
        let mut columns = Vec::new();
        for user in &users {
            let checked =
                installation.iam.check(user, vec![urn.clone()], Ok(names.clone())).await.unwrap();
            columns.push(checked.into_iter().next().unwrap().authorized);
        }
        writeln!(text, "\n## {resource_type}\n").unwrap();
        text.push_str("| action | ADMIN | DEFAULT | UNPRIVILEGED | none |\n");
        text.push_str("| --- | --- | --- | --- | --- |\n");
        for name in names {
            let cells = columns.iter().map(|may| if may.contains(&name) { "yes" } else { "-" });
            let cells: Vec<&str> = cells.collect();
            writeln!(text, "| `{name}` | {} |", cells.join(" | ")).unwrap();
        }
    }
    text
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a switch of this test")]
async fn the_table_of_roles_and_actions_is_true() {
    let installation = Installation::new().await;
    let table = table(&installation).await;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&file, &table).unwrap();
    }
    let there = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        there == table,
        "docs/roles.md is out of date: renew it with {WRITE}=1 cargo test -p gatewright-iam \
         --test rules roles, and read the difference"
    );
}
