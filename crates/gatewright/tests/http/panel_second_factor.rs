//! The demand for a second factor, in the panel.

use std::time::{SystemTime, UNIX_EPOCH};

use gatewright_panel::{Access, routes};
use gatewright_testing::{TestDatabase, on_both_databases};
use reqwest::Method;
use serde_json::json;

use crate::panel_client::{PanelClient, Seen, csrf_token, value};
use crate::server::{ACCOUNT, Caller, Server};

const SETTING: &str = "/v1/me/identity/secondFactor";
const ENROLMENT: &str = "/me/second-factor";
const JANES: &str = "correct horse";

async fn jane(admin: &Caller) -> String {
    let user = json!({"login": "jane", "password": JANES, "group": "ADMIN"});
    admin.post("/v1/me/identity/user", &user).await.expect(200);
    format!("{ACCOUNT}/jane")
}

/// Returns a code of an authenticator, and the answer that activates it.
async fn enrolment(person: &mut PanelClient, password: &str) -> (String, Vec<(String, String)>) {
    let page = person.get("/me/totp").await.html;
    let secret = value(&page, "id=\"totp-secret\" value=\"");
    let secret = totp_rs::Secret::try_from_base32(&secret).unwrap();
    let builder = totp_rs::Builder::new().with_secret(secret).with_account_name("x");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let code = builder.build().unwrap().generate(now).to_string();
    let state = value(&page, "name=\"state\" value=\"");
    let answer = [("state", state), ("code", code), ("password", password.to_owned())];
    (csrf_token(&page), answer.map(|(name, value)| (name.to_owned(), value)).into())
}

async fn send_answer(
    person: &mut PanelClient,
    (csrf_token, answer): &(String, Vec<(String, String)>),
) -> Seen {
    let fields: Vec<(&str, &str)> = answer.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    person.post_with(csrf_token, "/me/totp", &fields).await
}

async fn set(person: &mut PanelClient, value: &str) -> Seen {
    person.post("/users", "/account/second-factor", &[("second-factor", value)]).await
}

on_both_databases!(where_a_second_factor_is_demanded_no_page_comes_before_it);
async fn where_a_second_factor_is_demanded_no_page_comes_before_it(database: TestDatabase) {
    let server = Server::start(&database);
    let login = jane(&server.admin().await).await;
    let (mut before, mut after) = (PanelClient::new(&server), PanelClient::new(&server));
    before.sign_in(&login, JANES).await;
    let mut owner = PanelClient::new(&server);
    owner.sign_in(ACCOUNT, &server.password).await;
    let seen = owner.get(ENROLMENT).await;
    assert_eq!((seen.status, seen.location.as_str()), (303, "/me"), "nothing is demanded");
    assert_eq!(set(&mut owner, "required").await.status, 400, "whoever demands one has one");
    let answer = enrolment(&mut owner, &server.password).await;
    assert_eq!(send_answer(&mut owner, &answer).await.status, 200);
    let seen = set(&mut owner, "required").await;
    assert!(seen.location.ends_with("flash-second-factor-required"), "{}", seen.html);

    assert_eq!(after.sign_in(&login, JANES).await.location, "/me");
    for person in [&mut before, &mut after] {
        let page = person.get(ENROLMENT).await;
        assert_eq!(page.status, 200);
        assert!(!page.html.contains("href=\"/policies\""), "no menu: {}", page.html);
        let journal = server.setup().run(&["journal", "verify"]).1;
        let own = csrf_token(&page.html);
        for route in routes().into_iter().filter(|route| route.access() == Access::SignedIn) {
            let path = route.path().replace("{login}", "jane").replace("{name}", "ops");
            let seen = if route.method() == Method::GET {
                person.get(&path).await
            } else {
                person.post_with(&own, &path, &[("name", "x"), ("description", "y")]).await
            };
            assert_eq!((seen.status, seen.location.as_str()), (303, ENROLMENT), "{path}");
        }
        assert_eq!(server.setup().run(&["journal", "verify"]).1, journal, "something changed");
    }
    let answer = enrolment(&mut after, JANES).await;
    assert_eq!(send_answer(&mut after, &answer).await.status, 200);
    assert_eq!(send_answer(&mut after, &answer).await.status, 400, "the answer counts once");
    assert_eq!(after.get("/users").await.status, 200);
    assert_eq!(before.get("/users").await.location, "/sign-in?next=%2Fusers");
}

on_both_databases!(the_last_second_factor_stays_until_the_operator_resets_the_demand);
async fn the_last_second_factor_stays_until_the_operator_resets_the_demand(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    assert_eq!(admin.get(SETTING).await.expect(200), json!({"secondFactor": "OPTIONAL"}));
    let mut owner = PanelClient::new(&server);
    owner.sign_in(ACCOUNT, &server.password).await;
    let answer = enrolment(&mut owner, &server.password).await;
    send_answer(&mut owner, &answer).await;
    admin.put(SETTING, &json!({"secondFactor": "REQUIRED"})).await.expect(200);
    assert_eq!(admin.get(SETTING).await.expect(200), json!({"secondFactor": "REQUIRED"}));
    admin.put(SETTING, &json!({"secondFactor": "yes"})).await.expect(400);
    let password = server.password.clone();
    let remove = async |owner: &mut PanelClient| {
        owner.post("/me", "/me/totp/remove", &[("password", &password)]).await.status
    };
    assert_eq!(remove(&mut owner).await, 400);
    let (done, said) = server.setup().run(&["account", "reset-second-factor", "--name", ACCOUNT]);
    assert!(done, "{said}");
    let (done, _) = server.setup().run(&["account", "reset-second-factor", "--name", "zz9-ovh"]);
    assert!(!done, "there is no such account");
    assert_eq!(admin.get(SETTING).await.expect(200), json!({"secondFactor": "OPTIONAL"}));
    assert_eq!(remove(&mut owner).await, 303);
}
