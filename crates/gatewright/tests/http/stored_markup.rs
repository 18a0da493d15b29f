//! Markup in what people and programs write is shown as text, on every page of the panel.

use std::collections::{BTreeSet, VecDeque};

use gatewright_panel::routes;
use gatewright_testing::TestDatabase;
use reqwest::Method;
use serde_json::json;

use crate::panel_client::{PanelClient, csrf_token};
use crate::server::{ACCOUNT, Caller, Server};

/// Markup that ends an attribute, and runs a script.
const MARKUP: &str = r#""'><script>stored()</script><img src=x onerror=stored()>"#;

/// The texts that are on a page where markup was not escaped.
const UNESCAPED: [&str; 3] = ["<script>stored", "<img src=x", "\"'>"];

/// The text that is on a page where it was.
const ESCAPED: &str = "script&#62;stored()&#60;";

/// The most pages that are visited: the links of a small account lead to fewer.
const MOST: usize = 500;

/// Creates objects of all kinds, with markup wherever text is accepted.
async fn create_objects(server: &Server, admin: &Caller) {
    let client = json!({"name": MARKUP, "description": MARKUP, "flow": "CLIENT_CREDENTIALS"});
    let client = admin.post("/v1/me/api/oauth2/client", &client).await.expect(200);
    let text = |name: &str| client[name].as_str().unwrap().to_owned();
    let caller = server.login(&text("clientId"), &text("clientSecret")).await;
    let resource = json!({
        "urn": "urn:v1:eu:resource:vps:marked", "displayName": MARKUP, "tags": {"env": "test"},
    });
    admin.post("/v2/iam/resource", &resource).await.expect(200);
    let group = json!({"name": "marked", "resources": [{"urn": "urn:v1:eu:resource:vps:marked"}]});
    admin.post("/v2/iam/resourceGroup", &group).await.expect(200);
    let policy = json!({
        "name": "marked", "description": MARKUP, "identities": [caller.urn()],
        "resources": [{"urn": "urn:v1:eu:resource:vps:*"}],
        "permissions": {"allow": [{"action": "vps:apiovh:reboot"}]},
        "conditions": {"operator": "MATCH", "values": {"resource.Tag(env)": MARKUP}},
    });
    admin.post("/v2/iam/policy", &policy).await.expect(200);
    let group = json!({
        "name": "marked", "description": MARKUP,
        "permissions": {"allow": [{"action": "vps:apiovh:reboot"}]},
    });
    admin.post("/v2/iam/permissionsGroup", &group).await.expect(200);
    let group = json!({"name": "marked", "description": MARKUP, "role": "NONE"});
    admin.post("/v1/me/identity/group", &group).await.done();
    let user = json!({"login": "marked", "description": MARKUP, "email": "a@b.example"});
    admin.post("/v1/me/identity/user", &user).await.done();
    let token = json!({"name": "marked", "description": MARKUP});
    admin.post("/v1/me/identity/user/marked/token", &token).await.done();
    let document = json!({
        "openapi": "3.1.0", "info": {"title": MARKUP},
        "paths": {"/orders/{id}": {"get": {
            "summary": MARKUP, "x-iam-actions": [{"name": "order:marked:get"}],
            "x-iam-resource": {"type": "order", "in": "path", "name": "id"},
        }}},
    });
    admin.put("/v2/iam/api/marked", &document).await.expect(200);
    // A decision that is logged: the tag is another.
    assert!(!caller.may("vps:apiovh:reboot", "urn:v1:eu:resource:vps:marked").await);
    let odd = format!("urn:v1:eu:resource:vps:{}", MARKUP.replace(' ', "_"));
    let body = json!({"actions": ["vps:apiovh:reboot"], "resourceURNs": [odd]});
    let _ = caller.post("/v2/iam/authorization/check", &body).await;
}

/// Returns the targets of the links of a page that lead to this server.
fn links(html: &str) -> impl Iterator<Item = String> {
    let targets = html.split(" href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let own = targets.filter(|target| target.starts_with('/') && !target.contains("download"));
    own.map(|target| target.replace("&#38;", "&").replace("&amp;", "&"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn markup_is_text_on_every_page_of_the_panel() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let admin = server.admin().await;
    create_objects(&server, &admin).await;
    let mut visitor = PanelClient::new(&server);
    visitor.http = reqwest::Client::builder()
        .user_agent(MARKUP)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    assert_eq!(visitor.sign_in(ACCOUNT, &server.password).await.status, 303);
    let pages = routes().into_iter().filter(|route| route.method() == Method::GET);
    let plain = pages.filter(|route| !route.path().contains('{')).map(|one| one.path().to_owned());
    let mut left: VecDeque<String> = plain.collect();
    let mut known: BTreeSet<String> = left.iter().cloned().collect();
    // What is searched for is shown as well.
    let search = url::form_urlencoded::byte_serialize(MARKUP.as_bytes()).collect::<String>();
    for page in ["/policies", "/service-accounts", "/users", "/resources", "/logs/audit"] {
        for field in ["search", "q", "text", "next"] {
            left.push_back(format!("{page}?{field}={search}"));
        }
    }
    let (mut visited, mut marked) = (0, BTreeSet::new());
    while let Some(path) = left.pop_front() {
        visited += 1;
        assert!(visited < MOST, "the links lead on and on: {path}");
        let seen = visitor.get(&path).await;
        let kind = seen.headers.get("content-type").and_then(|kind| kind.to_str().ok());
        if !kind.unwrap_or_default().starts_with("text/html") {
            continue;
        }
        assert!(seen.status < 500, "{path}: {}", seen.status);
        for unescaped in UNESCAPED {
            assert!(!seen.html.contains(unescaped), "{path} shows {unescaped}: {}", seen.html);
        }
        if seen.html.contains(ESCAPED) {
            marked.insert(path.split('?').next().unwrap_or_default().to_owned());
        }
        // One search of each list is enough.
        let new = links(&seen.html).filter(|link| !link.contains('?'));
        for link in new.filter(|link| !link.starts_with("/sign-out")) {
            if known.insert(link.clone()) {
                left.push_back(link);
            }
        }
    }
    for page in ["/service-accounts", "/resources/", "/policies/", "/users/", "/me", "/logs/"] {
        assert!(marked.iter().any(|path| path.starts_with(page)), "{page} is not in {marked:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_was_set_before_the_sign_in_is_replaced() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let other = server.setup().create_account("yy22222-ovh");
    let mut attacker = PanelClient::new(&server);
    attacker.sign_in("yy22222-ovh", other["password"].as_str().unwrap()).await;
    let cookie = |client: &PanelClient| {
        let found = client.cookies.iter().find(|(name, _)| name == "gatewright");
        found.map(|(_, value)| value.clone())
    };
    let own = cookie(&attacker).unwrap();
    // It ends only for the server: the attacker keeps the cookie, and sets it in the other's browser.
    assert_eq!(attacker.post("/me", "/sign-out", &[]).await.status, 303);
    let presets = [own, format!("{ACCOUNT}.gws_preset"), "preset".to_owned()];
    for preset in &presets {
        let mut victim = PanelClient::new(&server);
        victim.cookies.push(("gatewright".to_owned(), preset.clone()));
        let form = csrf_token(&victim.get("/sign-in").await.html);
        let fields = [("login", ACCOUNT), ("password", &*server.password), ("next", "/me")];
        let seen = victim.post_with(&form, "/sign-in", &fields).await;
        assert_eq!(seen.status, 303, "{}", seen.html);
        assert_ne!(&cookie(&victim).unwrap(), preset);
        assert!(victim.get("/me").await.html.contains(ACCOUNT));
    }
    for preset in presets {
        let mut visitor = PanelClient::new(&server);
        visitor.cookies.push(("gatewright".to_owned(), preset));
        assert_eq!(visitor.get("/me").await.status, 303, "it signs somebody in");
    }
}
