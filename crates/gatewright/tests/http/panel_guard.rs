//! No page and no form of the panel bypasses the session, the CSRF token or the policies; each is
//! probed from the panel's own list.

use gatewright_panel::{Access, Route, routes};
use gatewright_testing::{TestDatabase, on_both_databases};
use reqwest::Method;

use crate::panel_client::{PanelClient, Seen, csrf_token};
use crate::server::{ACCOUNT, Server};

const UUID: &str = "00000000-0000-0000-0000-000000000000";

/// Fills each parameter of a route with a value.
fn filled(route: &Route) -> String {
    let id = if route.path().starts_with("/service-accounts/") { "EU.0" } else { UUID };
    let urn = if route.path().starts_with("/permissions-groups/") {
        "urn:v1:eu:permissionsGroup:xx11111-ovh:a"
    } else {
        "urn:v1:eu:resource:vps:a"
    };
    let path = route.path().replace("{id}", id).replace("{urn}", urn);
    path.replace("{login}", "jane").replace("{name}", "ops")
}

fn pages() -> impl Iterator<Item = Route> {
    routes().into_iter().filter(|route| route.method() == Method::GET)
}

fn forms() -> impl Iterator<Item = Route> {
    routes().into_iter().filter(|route| route.method() == Method::POST)
}

fn asks_to_sign_in(seen: &Seen) -> bool {
    seen.status == 303 && seen.location.starts_with("/sign-in?next=%2F")
}

on_both_databases!(whoever_is_not_signed_in_is_asked_to_wherever_they_go);
async fn whoever_is_not_signed_in_is_asked_to_wherever_they_go(database: TestDatabase) {
    let server = Server::start(&database);
    let mut visitor = PanelClient::new(&server);
    for route in pages() {
        let seen = visitor.get(&filled(&route)).await;
        match route.access() {
            Access::Public => assert_eq!(seen.status, 200, "{}", route.path()),
            Access::SignedIn | Access::Enrolling => {
                assert!(asks_to_sign_in(&seen), "{}: {}", route.path(), seen.status);
            }
        }
    }
    let own = csrf_token(&visitor.get("/sign-in").await.html);
    for route in forms().filter(|route| route.access() != Access::Public) {
        let seen = visitor.post_with(&own, &filled(&route), &[]).await;
        assert!(asks_to_sign_in(&seen), "{}: {}", route.path(), seen.status);
        let seen = visitor.post_with(&own, &filled(&route), &[("name", "kept")]).await;
        assert_eq!(seen.status, 401, "{}", route.path());
        assert!(seen.html.contains("\"kept\""), "{}", route.path());
    }
    visitor.cookies.push(("gatewright".to_owned(), format!("{ACCOUNT}.gws_forged")));
    assert!(asks_to_sign_in(&visitor.get("/me").await), "a forged session counts");
    let public: Vec<&str> =
        routes().iter().filter(|route| route.access() == Access::Public).map(Route::path).collect();
    let expected = ["/sign-in", "/sign-in", "/sign-in/code", "/sign-in/passkey", "/sign-out"];
    assert_eq!(public, expected, "whoever opens a page to everybody says so here");
}

on_both_databases!(every_form_without_its_csrf_token_is_refused);
async fn every_form_without_its_csrf_token_is_refused(database: TestDatabase) {
    let server = Server::start(&database);
    let mut anonymous = PanelClient::new(&server);
    let before = csrf_token(&anonymous.get("/sign-in").await.html);
    let mut visitor = PanelClient::new(&server);
    visitor.sign_in(ACCOUNT, &server.password).await;
    let own = csrf_token(&visitor.get("/me").await.html);
    let mut other = PanelClient::new(&server);
    other.sign_in(ACCOUNT, &server.password).await;
    let others = csrf_token(&other.get("/me").await.html);
    let journal = server.setup().run(&["journal", "verify"]).1;
    for route in forms() {
        let path = filled(&route);
        for forged in ["", "0", before.as_str(), others.as_str(), &own[1..], &own.to_uppercase()] {
            let seen = visitor.post_with(forged, &path, &[("name", "x")]).await;
            assert_eq!(seen.status, 403, "{path} {forged}");
        }
        let request = visitor.http.post(format!("{}{path}", visitor.url)).form(&[("name", "x")]);
        assert_eq!(visitor.send(request).await.status, 403, "{path} without a CSRF token");
        for site in ["same-site", "cross-site"] {
            let request = visitor.http.post(format!("{}{path}", visitor.url));
            let request = request.header("sec-fetch-site", site);
            let request = request.form(&[("form", own.as_str())]);
            assert_eq!(visitor.send(request).await.status, 403, "{path} from another site: {site}");
        }
    }
    assert_eq!(server.setup().run(&["journal", "verify"]).1, journal, "something changed");
    assert_eq!(visitor.get("/me").await.status, 200, "the session goes on");
}
