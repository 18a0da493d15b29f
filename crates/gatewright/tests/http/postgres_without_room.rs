//! A PostgreSQL whose disk is full, as a trigger that fails with its error simulates.

use gatewright_testing::TestDatabase;
use serde_json::json;

use crate::server::Server;

const VPS: &str = "urn:v1:eu:resource:vps:web-1";
const REBOOT: &str = "vps:apiovh:reboot";

/// A trigger that says what PostgreSQL says where it cannot extend a file.
const FULL: &str = "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION USING ERRCODE = '53100', MESSAGE = 'could not extend file';
    END $$";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_whose_disk_is_full_stops_changes_and_nothing_else_until_there_is_room() {
    let database = TestDatabase::postgres().await;
    let server = Server::start(&database);
    let admin = server.admin().await;
    let caller = server.stranger(&admin).await;
    let made = admin.allow("before", &caller, REBOOT, VPS).await;
    let path = format!("/v2/iam/policy/{}", made["id"].as_str().unwrap());
    database.run(FULL).await;
    for table in ["journal", "log"] {
        let trigger = format!(
            "CREATE TRIGGER no_room BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION no_room()"
        );
        database.run(&trigger).await;
    }
    for turn in 0..3 {
        let policy = json!({
            "name": format!("p{turn}"), "identities": [], "resources": [{"urn": VPS}],
            "permissions": {"allow": [{"action": REBOOT}]},
        });
        let refused = admin.post("/v2/iam/policy", &policy).await;
        assert_eq!(refused.header("retry-after"), "2");
        let message = refused.refused(503, "Server::ServiceUnavailable");
        assert!(message.contains("no room"), "{message}");
        admin.delete(&path).await.refused(503, "Server::ServiceUnavailable");
        assert!(caller.may(REBOOT, VPS).await);
        for list in ["/v2/iam/policy", "/v2/iam/resource", "/v1/me/api/oauth2/client", "/v1/me"] {
            admin.get(list).await.expect(200);
        }
        server.token(&server.client_id, &server.client_secret, "all").await.expect(200);
    }
    database.run("DROP FUNCTION no_room CASCADE").await;
    // At once, without a restart; of what was refused nothing is left.
    assert_eq!(admin.delete(&path).await.status, 204);
    assert!(!caller.may(REBOOT, VPS).await);
    let names = admin.get("/v2/iam/policy").await.expect(200);
    let is_left =
        |one: &serde_json::Value| one["name"].as_str().is_some_and(|name| name.starts_with('p'));
    assert!(!names.as_array().unwrap().iter().any(is_left), "{names}");
    let (holds, said) = server.setup().run(&["journal", "verify"]);
    assert!(holds, "{said}");
}
