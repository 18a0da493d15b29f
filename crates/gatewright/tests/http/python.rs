//! The real `ovh` package, unmodified but for its table of endpoints.

use std::process::Command;

use gatewright_testing::{TestDatabase, on_both_databases};

use crate::server::Server;

const SCRIPT: &str = include_str!("../python/ovh_client.py");

on_both_databases!(the_real_python_client_manages_service_accounts_and_policies);
async fn the_real_python_client_manages_service_accounts_and_policies(database: TestDatabase) {
    let python = std::env::var("GATEWRIGHT_TEST_PYTHON")
        .expect("GATEWRIGHT_TEST_PYTHON is not set: run the tests with `cargo xtask test`");
    let server = Server::start(&database);
    let output = Command::new(python)
        .args(["-c", SCRIPT, &server.url, &server.client_id, &server.client_secret])
        // Its OAuth2 library requires HTTPS otherwise.
        .env("OAUTHLIB_INSECURE_TRANSPORT", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.ends_with("all done\n"), "{said}");
}
