//! The destination of a path: the API, or the Control Panel.

use gatewright_testing::TestDatabase;

use crate::server::{Reply, Server, http};

/// Requests a path as a browser does; the response is for people.
async fn browse(server: &Server, path: &str) -> Reply {
    let url = format!("{}{path}", server.url);
    Reply::of(http().get(url).header("Accept", "text/html,*/*;q=0.8")).await
}

#[tokio::test]
async fn the_api_answers_browsers_on_its_paths() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let project = "urn:v1:eu:resource:publicCloudProject:pci";
    let discovery = format!("/role-adapter/{project}/.well-known/openid-configuration");
    for path in
        [&discovery, "/.well-known/openid-configuration", "/auth/oauth2/jwks", "/v1/auth/time"]
    {
        browse(&server, path).await.expect(200);
    }
    for path in ["/iam/policy", "/v2/iam/policy", "/v1/me", "/me/api/oauth2/client"] {
        browse(&server, path).await.refused(401, "Client::Unauthorized");
    }
    for path in ["/oauth2/token", "/auth/oauth2/token", "/access/v1/evaluation"] {
        browse(&server, path).await.refused(405, "Client::MethodNotAllowed");
    }
    for path in
        ["/v1", "/v1/nothing", "/1.0/nothing", "/v2/nothing", "/iam/nothing", "/auth", "/access/v1"]
    {
        browse(&server, path).await.refused(404, "Client::NotFound");
    }
    browse(&server, "/ext-authz/shop/orders").await.refused(403, "Client::Forbidden");
}

#[tokio::test]
async fn the_control_panel_answers_people_who_are_lost() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    for path in ["/nothing", "/policies/1/2/3", "/me/nothing", "/nothing/authorization/check"] {
        let request = http().get(format!("{}{path}", server.url));
        let response = request.header("Accept", "text/html").send().await.unwrap();
        assert_eq!(response.status(), 404, "{path}");
        let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
        assert!(kind.starts_with("text/html"), "{path}: {kind}");
        let reply = Reply::of(http().get(format!("{}{path}", server.url))).await;
        reply.refused(404, "Client::NotFound");
    }
}
