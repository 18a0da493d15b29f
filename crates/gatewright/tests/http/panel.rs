//! The guards of the panel, tested without a browser.

use gatewright_panel::{Access, Route, routes};
use gatewright_testing::{TestDatabase, on_both_databases};
use reqwest::Method;
use serde_json::json;

use crate::panel_client::{PanelClient, csrf_token, pairs, typed};
use crate::server::{ACCOUNT, Server, http};

/// Every page with the action that it requires; none if every signed-in user may read it.
const PAGES: [(&str, &str); 39] = [
    ("/", ""),
    ("/service-accounts", "me/api/oauth2/client/get"),
    ("/service-accounts/create", ""),
    ("/service-accounts/EU.0", "me/api/oauth2/client/get"),
    ("/service-accounts/EU.0/edit", "me/api/oauth2/client/get"),
    ("/service-accounts/EU.0/delete", "me/api/oauth2/client/get"),
    ("/policies", "iam/policy/get"),
    ("/policies/create", ""),
    ("/policies/00000000-0000-0000-0000-000000000000", "iam/policy/get"),
    ("/policies/00000000-0000-0000-0000-000000000000/delete", "iam/policy/get"),
    ("/users", "me/identity/user/get"),
    ("/users/create", ""),
    ("/users/jane", "me/identity/user/get"),
    ("/policies/try", ""),
    (
        "/policies/try?try-identity=urn:v1:eu:identity:user:xx11111-ovh/jane&try-action=vps:apiovh:get&try-resource=urn:v1:eu:resource:vps:a",
        "iam/policy/get",
    ),
    ("/users/jane/tokens", "me/identity/user/token/get"),
    ("/users/jane/tokens/create", ""),
    ("/users/jane/tokens/laptop", "me/identity/user/token/get"),
    ("/logs", ""),
    ("/logs/audit", "me/logs/audit/get"),
    ("/logs/activity", "me/api/logs/self/get"),
    ("/logs/decisions", "iam/log/url/create"),
    ("/logs/audit/download", "me/logs/audit/get"),
    ("/logs/activity/download", "me/api/logs/self/get"),
    ("/logs/decisions/download", "iam/log/url/create"),
    ("/groups", "me/identity/group/get"),
    ("/groups/create", ""),
    ("/groups/ops", "me/identity/group/get"),
    ("/resource-groups", "iam/resourceGroup/get"),
    ("/resource-groups/create", ""),
    ("/resource-groups/00000000-0000-0000-0000-000000000000", "iam/resourceGroup/get"),
    ("/permissions-groups", "iam/permissionsGroup/get"),
    ("/permissions-groups/create", ""),
    ("/permissions-groups/urn:v1:eu:permissionsGroup:ovh:vpsAdmin", "iam/permissionsGroup/get"),
    ("/resources", ""),
    ("/resources/create", ""),
    ("/tags", ""),
    ("/me", ""),
    ("/me/totp", ""),
];

/// Every form with the action that it requires, except for those about a person's own sign-in.
const FORMS: [(&str, &str); 33] = [
    ("/service-accounts/create", "me/api/oauth2/client/create"),
    ("/service-accounts/EU.0/edit", "me/api/oauth2/client/edit"),
    ("/service-accounts/EU.0/delete", "me/api/oauth2/client/delete"),
    ("/service-accounts/EU.0/enable", "me/api/oauth2/client/enable"),
    ("/service-accounts/EU.0/disable", "me/api/oauth2/client/disable"),
    ("/service-accounts/EU.0/attach", "me/api/oauth2/client/get"),
    ("/service-accounts/EU.0/detach", "me/api/oauth2/client/get"),
    ("/policies/create", "iam/policy/create"),
    ("/policies/00000000-0000-0000-0000-000000000000", "iam/policy/edit"),
    ("/policies/00000000-0000-0000-0000-000000000000/delete", "iam/policy/delete"),
    ("/users/create", "me/identity/user/create"),
    ("/users/jane", "me/identity/user/edit"),
    ("/users/jane/enable", "me/identity/user/enable"),
    ("/users/jane/disable", "me/identity/user/disable"),
    ("/users/jane/reset", "me/identity/user/edit"),
    ("/users/jane/delete", "me/identity/user/delete"),
    ("/account/second-factor", "me/identity/secondFactor/edit"),
    ("/users/jane/tokens/create", "me/identity/user/token/create"),
    ("/users/jane/tokens/laptop", "me/identity/user/token/edit"),
    ("/users/jane/tokens/laptop/delete", "me/identity/user/token/delete"),
    ("/resource-groups/create", "iam/resourceGroup/create"),
    ("/resource-groups/00000000-0000-0000-0000-000000000000", "iam/resourceGroup/edit"),
    ("/resource-groups/00000000-0000-0000-0000-000000000000/delete", "iam/resourceGroup/delete"),
    ("/permissions-groups/create", "iam/permissionsGroup/create"),
    ("/permissions-groups/urn:v1:eu:permissionsGroup:xx11111-ovh:a", "iam/permissionsGroup/edit"),
    (
        "/permissions-groups/urn:v1:eu:permissionsGroup:xx11111-ovh:a/delete",
        "iam/permissionsGroup/delete",
    ),
    ("/resources/create", "iam/resource/create"),
    ("/resources/urn:v1:eu:resource:vps:a/delete", "iam/resource/delete"),
    ("/resources/urn:v1:eu:resource:vps:a/tags", "iam/resource/tag/add"),
    ("/resources/urn:v1:eu:resource:vps:a/tags/remove", "iam/resource/tag/remove"),
    ("/groups/create", "me/identity/group/create"),
    ("/groups/ops", "me/identity/group/edit"),
    ("/groups/ops/delete", "me/identity/group/delete"),
];

/// A page that is not found without a right on its resource, whether the resource exists or not.
const HIDDEN: &str = "/resources/{urn}";

/// Lists the routes that are neither public nor about a person's own sign-in.
fn declared(method: &Method) -> impl Iterator<Item = Route> {
    routes().into_iter().filter(move |route| {
        let is_own = route.path() == "/me" || route.path().starts_with("/me/");
        route.method() == method && route.access() == Access::SignedIn && !is_own
    })
}

#[test]
fn the_tables_of_rights_have_every_page_and_form() {
    let mut missing = Vec::new();
    for (method, table) in [(&Method::GET, PAGES.as_slice()), (&Method::POST, &FORMS)] {
        for route in declared(method) {
            let segments: Vec<&str> = route.path().split('/').collect();
            let is_of_route = |path: &str| {
                let path: Vec<&str> = path.split('?').next().unwrap().split('/').collect();
                let is_name = |part: &str| !["create", "try"].contains(&part);
                let fits = |(a, b): (&&str, &&str)| a == b || (a.starts_with('{') && is_name(b));
                path.len() == segments.len() && segments.iter().zip(&path).all(fits)
            };
            let is_hidden = *method == Method::GET && route.path() == HIDDEN;
            if !is_hidden && !table.iter().any(|(path, _)| is_of_route(path)) {
                missing.push(format!("{method} {}", route.path()));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}

on_both_databases!(every_page_and_form_names_the_action_that_its_reader_lacks);
async fn every_page_and_form_names_the_action_that_its_reader_lacks(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    admin.post("/v1/me/identity/group", &json!({"name": "ops"})).await.expect(200);
    let user = json!({"login": "jane", "password": "correct horse", "group": "ops"});
    admin.post("/v1/me/identity/user", &user).await.expect(200);
    let mut visitor = PanelClient::new(&server);
    visitor.sign_in(&format!("{ACCOUNT}/jane"), "correct horse").await;
    let own = csrf_token(&visitor.get("/me").await.html);
    let before = server.setup().run(&["journal", "verify"]).1;
    for (page, action) in PAGES {
        let seen = visitor.get(page).await;
        if action.is_empty() {
            assert!(seen.status < 400, "{page}");
        } else {
            assert_eq!(seen.status, 403, "{page}");
            assert!(seen.html.contains(&format!("account:apiovh:{action}<")), "{page}");
        }
    }
    for resource in ["urn:v1:eu:resource:account:xx11111-ovh", "urn:v1:eu:resource:vps:a"] {
        assert_eq!(visitor.get(&HIDDEN.replace("{urn}", resource)).await.status, 404, "{resource}");
    }
    let fields = [("name", "x"), ("login", "x"), ("description", "y"), ("password", "long enough")];
    for (form, action) in FORMS {
        let seen = visitor.post_with(&own, form, &fields).await;
        assert_eq!(seen.status, 403, "{form}");
        assert!(seen.html.contains(&format!("account:apiovh:{action}<")), "{form}: {}", seen.html);
    }
    assert_eq!(server.setup().run(&["journal", "verify"]).1, before, "something changed");
}

on_both_databases!(whoever_guesses_passwords_must_wait);
async fn whoever_guesses_passwords_must_wait(database: TestDatabase) {
    let server = Server::start(&database);
    // A browser that has signed in before, and out again.
    let mut owner = PanelClient::new(&server);
    let seen = owner.sign_in(ACCOUNT, &server.password).await;
    let device = seen.headers.get_all("set-cookie").iter().find_map(|cookie| {
        cookie.to_str().unwrap().strip_prefix("gatewright-device=").map(str::to_owned)
    });
    let device = device.expect("a cookie of the device");
    assert!(device.contains("; HttpOnly") && device.contains("; Max-Age=34560000"), "{device}");
    owner.post("/me", "/sign-out", &[]).await;
    assert_eq!(owner.get("/me").await.status, 303, "the device signs nobody in");
    let mut visitor = PanelClient::new(&server);
    let mut unknown = PanelClient::new(&server);
    let wrong = visitor.sign_in(ACCOUNT, "wrong").await;
    let nobody = unknown.sign_in("zz9-ovh", "wrong").await;
    assert_eq!((wrong.status, nobody.status), (401, 401));
    let about = |html: &str| html.contains("The login or the password is wrong.");
    assert!(about(&wrong.html) && about(&nobody.html));
    // Each failure lengthens the delay; on a slow machine the first delays are soon over.
    let mut last = wrong;
    let is_long = |html: &str| (3..900).any(|wait| html.contains(&format!("in {wait} seconds")));
    for _ in 0..10_000 {
        last = visitor.sign_in(ACCOUNT, "wrong").await;
        if is_long(&last.html) {
            break;
        }
    }
    assert_eq!(last.status, 429);
    assert!(is_long(&last.html));
    let seen = visitor.sign_in(ACCOUNT, &server.password).await;
    assert_eq!(seen.status, 429, "not even with the right one");
    assert!(!seen.html.contains(&server.password));
    let wait: u64 = seen.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(wait > 0);
    let seen = owner.sign_in(ACCOUNT, &server.password).await;
    assert_eq!(seen.location, "/me", "a known device is not kept out");
}

on_both_databases!(a_code_is_asked_for_after_the_password_and_is_good_for_once);
async fn a_code_is_asked_for_after_the_password_and_is_good_for_once(database: TestDatabase) {
    let mut server = Server::start(&database);
    let admin = server.admin().await;
    let user = json!({"login": "jane", "password": "correct horse"});
    admin.post("/v1/me/identity/user", &user).await.expect(200);
    let login = format!("{ACCOUNT}/jane");
    let mut jane = PanelClient::new(&server);
    jane.sign_in(&login, "correct horse").await;
    let page = jane.get("/me/totp").await.html;
    let value = |html: &str, before: &str| {
        let (_, rest) = html.split_once(before).expect(before);
        rest.split_once('"').unwrap().0.to_owned()
    };
    let typed = value(&page, "id=\"totp-secret\" value=\"");
    let state = value(&page, "name=\"state\" value=\"");
    let now = || {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.unwrap().as_secs()
    };
    let started = now();
    let secret = totp_rs::Secret::try_from_base32(&typed).unwrap();
    let builder = totp_rs::Builder::new().with_secret(secret).with_account_name("x");
    let totp = builder.build().unwrap();
    let code = |time: u64| totp.generate(time).to_string();
    let confirm = |code: &str, password: &str| {
        [("state", state.clone()), ("code", code.to_owned()), ("password", password.to_owned())]
    };
    for (code, password) in [(code(started), "wrong"), (code(started + 3_000), "correct horse")] {
        let fields = confirm(&code, password);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(a, b)| (*a, b.as_str())).collect();
        let seen = jane.post("/me", "/me/totp", &fields).await;
        assert_eq!(seen.status, 400);
        assert_eq!(value(&seen.html, "id=\"totp-secret\" value=\""), typed, "it was scanned");
        assert_eq!(value(&seen.html, "name=\"state\" value=\""), state);
    }
    let fields = confirm(&code(started), "correct horse");
    let fields: Vec<(&str, &str)> = fields.iter().map(|(a, b)| (*a, b.as_str())).collect();
    let seen = jane.post("/me", "/me/totp", &fields).await;
    assert_eq!(seen.status, 200, "{}", seen.html);
    let backup: Vec<String> = seen
        .html
        .split("<li><code>")
        .skip(1)
        .map(|rest| rest.split_once('<').unwrap().0.to_owned())
        .collect();
    assert_eq!(backup.len(), 10);

    server.stop();
    server.restart();
    let mut other = PanelClient::new(&server);
    let seen = other.sign_in(&login, "correct horse").await;
    assert_eq!(seen.status, 200, "a code is asked for");
    assert!(seen.html.contains("/sign-in/code"));
    assert_eq!(other.get("/me").await.status, 303, "the password alone is not enough");
    let csrf_token = csrf_token(&seen.html);
    let fields = async |other: &mut PanelClient, code: &str| {
        other.post_with(&csrf_token, "/sign-in/code", &[("code", code), ("next", "/me")]).await
    };
    for used in [code(started), "000000".to_owned(), String::new()] {
        assert_eq!(fields(&mut other, &used).await.status, 401, "{used}");
    }
    // The clock may have moved on by one step of TOTP, but not by two.
    let next = code(started + 30);
    assert_eq!(fields(&mut other, &next).await.location, "/me");
    assert_eq!(other.get("/me").await.status, 200);
    let events = server.admin().await.get("/v1/me/logs/audit").await.expect(200);
    assert!(events.to_string().contains("\"mfaType\":\"TOTP\""), "{events}");

    for (code, status) in [(&next, 401), (&backup[3], 303), (&backup[3], 401)] {
        let mut third = PanelClient::new(&server);
        let seen = third.sign_in(&login, "correct horse").await;
        let csrf_token = self::csrf_token(&seen.html);
        let fields = [("code", code.as_str()), ("next", "/me")];
        let seen = third.post_with(&csrf_token, "/sign-in/code", &fields).await;
        assert_eq!(seen.status, status, "{code}");
    }
    assert!(other.get("/me").await.html.contains("9 backup codes are left."));
    let mut owner = PanelClient::new(&server);
    owner.sign_in(ACCOUNT, &server.password).await;
    let seen = owner.post("/me", "/users/jane/reset", &[]).await;
    assert!(seen.location.ends_with("flash-factors-reset"), "{}", seen.location);
    let mut last = PanelClient::new(&server);
    assert_eq!(last.sign_in(&login, "correct horse").await.location, "/me");
}

on_both_databases!(a_form_of_an_earlier_session_is_kept_and_not_done);
async fn a_form_of_an_earlier_session_is_kept_and_not_done(database: TestDatabase) {
    let server = Server::start(&database);
    let mut visitor = PanelClient::new(&server);
    visitor.sign_in(ACCOUNT, &server.password).await;
    let old = csrf_token(&visitor.get("/service-accounts/create").await.html);
    visitor.post("/me", "/sign-out", &[]).await;
    let fields = [("form", old.as_str()), ("name", "kept"), ("description", "typed before")];
    let send = async |visitor: &mut PanelClient, site: &str| {
        let request = visitor.http.post(format!("{}/service-accounts/create", visitor.url));
        visitor.send(request.header("sec-fetch-site", site).form(&fields)).await
    };
    let seen = send(&mut visitor, "same-origin").await;
    assert!(seen.html.contains("typed before") && seen.html.contains("/sign-in"), "{}", seen.html);
    let seen = visitor.sign_in(ACCOUNT, &server.password).await;
    assert_eq!(seen.location, "/me", "{}", seen.html);
    let seen = send(&mut visitor, "same-origin").await;
    assert_eq!(seen.status, 403, "{}", seen.html);
    assert!(seen.html.contains("typed before"), "{}", seen.html);
    let seen = send(&mut visitor, "cross-site").await;
    assert_eq!(seen.status, 403);
    assert!(!seen.html.contains("typed before"), "{}", seen.html);
    assert!(!visitor.get("/service-accounts").await.html.contains("kept"));
}

on_both_databases!(nothing_of_another_account_is_found);
async fn nothing_of_another_account_is_found(database: TestDatabase) {
    let server = Server::start(&database);
    let theirs = server.setup().create_account("yy22222-ovh");
    let text = |name: &str| theirs[name].as_str().unwrap();
    let them = server.login(text("clientId"), text("clientSecret")).await;
    let user = json!({"login": "jane", "password": "correct horse"});
    them.post("/v1/me/identity/user", &user).await.expect(200);
    let token = json!({"name": "laptop", "description": ""});
    them.post("/v1/me/identity/user/jane/token", &token).await.expect(200);
    them.post("/v1/me/identity/group", &json!({"name": "ops"})).await.expect(200);
    let policy = json!({"name": "p", "identities": [], "resources": [], "permissions": {}});
    let policy = them.post("/v2/iam/policy", &policy).await.expect(200);
    let group = json!({"name": "g", "resources": []});
    let group = them.post("/v2/iam/resourceGroup", &group).await.expect(200);
    let permissions = json!({"name": "a", "description": "b", "permissions": {"allow": [{"action": "vps:apiovh:get"}]}});
    let permissions = them.post("/v2/iam/permissionsGroup", &permissions).await.expect(200);
    let (policy, group) = (policy["id"].as_str().unwrap(), group["id"].as_str().unwrap());
    let permissions = permissions["urn"].as_str().unwrap();
    let before = server.setup().run(&["journal", "verify"]).1;

    let mut visitor = PanelClient::new(&server);
    visitor.sign_in(ACCOUNT, &server.password).await;
    let own = csrf_token(&visitor.get("/me").await.html);
    let signed_in = server.setup().run(&["journal", "verify"]).1;
    assert_ne!(before, signed_in);
    let name = [("name", "x"), ("description", "y"), ("key", "a"), ("value", "b")];
    for page in [
        format!("/policies/{policy}"),
        format!("/policies/{policy}/delete"),
        "/users/jane".to_owned(),
        "/users/jane/tokens".to_owned(),
        "/users/jane/tokens/laptop".to_owned(),
        "/groups/ops".to_owned(),
        format!("/resource-groups/{group}"),
        format!("/permissions-groups/{permissions}"),
        "/resources/urn:v1:eu:resource:account:yy22222-ovh".to_owned(),
    ] {
        assert_eq!(visitor.get(&page).await.status, 404, "{page}");
        for form in [page.clone(), format!("{page}/delete"), format!("{page}/tags")] {
            let seen = visitor.post_with(&own, &form, &name).await;
            assert!([403, 404, 405].contains(&seen.status), "{form}: {}", seen.status);
        }
    }
    assert_eq!(server.setup().run(&["journal", "verify"]).1, signed_in, "something changed");
}

on_both_databases!(another_accounts_service_account_is_not_found);
async fn another_accounts_service_account_is_not_found(database: TestDatabase) {
    let server = Server::start(&database);
    let theirs = server.setup().create_account("yy22222-ovh");
    let mut visitor = PanelClient::new(&server);
    visitor.sign_in(ACCOUNT, &server.password).await;
    let id = theirs["clientId"].as_str().unwrap();
    let path = format!("/service-accounts/{id}");
    for page in ["", "/edit", "/delete"] {
        assert_eq!(visitor.get(&format!("{path}{page}")).await.status, 404, "{page}");
    }
    for form in ["edit", "delete", "attach", "detach"] {
        let fields = [("name", "x"), ("description", "y")];
        let seen = visitor.post("/me", &format!("{path}/{form}"), &fields).await;
        assert_eq!(seen.status, 404, "{form}");
    }
    let secret = theirs["clientSecret"].as_str().unwrap();
    assert_eq!(server.token(id, secret, "all").await.status, 200);
}

on_both_databases!(what_is_wrong_is_said_beside_what_was_typed);
async fn what_is_wrong_is_said_beside_what_was_typed(database: TestDatabase) {
    let server = Server::start(&database);
    let mut visitor = PanelClient::new(&server);
    visitor.sign_in(ACCOUNT, &server.password).await;
    let long = "x".repeat(256);
    for (name, description) in [("", "typed"), (long.as_str(), "typed"), ("a\u{7}", "typed")] {
        let fields = [("name", name), ("description", description)];
        let page = "/service-accounts/create";
        let seen = visitor.post(page, page, &fields).await;
        assert_eq!(seen.status, 400, "{name}");
        assert!(seen.html.contains("value=\"typed\""), "{name}");
        assert!(seen.html.contains("pf-m-danger"), "{name}");
    }
}

on_both_databases!(a_policy_that_is_saved_unchanged_says_what_it_said);
async fn a_policy_that_is_saved_unchanged_says_what_it_said(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let policy = json!({
        "name": "whole",
        "description": "has <all> that there is",
        "identities": [admin.urn(), "urn:v1:eu:identity:account:zz9-ovh"],
        "resources": [{"urn": "urn:v1:eu:resource:vps:*"}, {"urn": "urn:v1:eu:resourceGroup:00000000-0000-0000-0000-000000000001"}],
        "permissions": {
            "allow": [{"action": "vps:apiovh:*"}],
            "except": [{"action": "vps:apiovh:terminate"}],
            "deny": [{"action": "*/delete"}],
        },
        "permissionsGroups": [{"urn": "urn:v1:eu:permissionsGroup:ovh:globalReadOnly"}, {"urn": "urn:v1:eu:permissionsGroup:zz9-ovh:gone"}],
        "conditions": {"operator": "NOT", "conditions": [
            {"operator": "OR", "conditions": [
                {"operator": "MATCH", "values": {"resource.Tag(env)": "test"}},
                {"operator": "MATCH", "values": {"date(Europe/Paris).WeekDay.In": "monday,friday"}},
            ]},
        ]},
        "expiredAt": "2040-01-01T00:00:00+02:00",
    });
    let made = admin.post("/v2/iam/policy", &policy).await.expect(200);
    let id = made["id"].as_str().unwrap();
    let path = format!("/policies/{id}");
    let mut visitor = PanelClient::new(&server);
    visitor.sign_in(ACCOUNT, &server.password).await;
    let html = visitor.get(&path).await.html;
    let typed = typed(&html);
    let seen = visitor.post(&path, &path, &pairs(&typed)).await;
    assert_eq!(seen.status, 303, "{}", seen.html);
    let mut saved = admin.get(&format!("/v2/iam/policy/{id}")).await.expect(200);
    saved["updatedAt"] = made["updatedAt"].clone();
    assert_eq!(saved, made);
}

on_both_databases!(a_change_of_conditions_alone_is_shown_before_it_is_saved);
async fn a_change_of_conditions_alone_is_shown_before_it_is_saved(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let policy = json!({
        "name": "by-name",
        "identities": [server.stranger(&admin).await.urn()],
        "resources": [{"urn": "urn:v1:eu:resource:vps:*"}],
        "permissions": {"allow": [{"action": "vps:apiovh:get"}]},
        "conditions": {"operator": "MATCH", "values": {"resource.Name.EQ": "one"}},
    });
    let id =
        admin.post("/v2/iam/policy", &policy).await.expect(200)["id"].as_str().unwrap().to_owned();
    let mut owner = PanelClient::new(&server);
    owner.sign_in(ACCOUNT, &server.password).await;
    let path = format!("/policies/{id}");
    let mut fields = typed(&owner.get(&path).await.html);
    for (_, value) in fields.iter_mut().filter(|(_, value)| value == "one") {
        "two".clone_into(value);
    }
    for (_, value) in fields.iter_mut().filter(|(name, _)| name == "try-action") {
        "vps:apiovh:reboot".clone_into(value);
    }
    let seen = owner.post(&path, &path, &pairs(&fields)).await;
    assert!(seen.html.contains("Its conditions change"), "{}", seen.html);
    assert!(seen.html.contains("vps:apiovh:reboot"), "what was typed to be tried is kept");
    let unchanged = admin.get(&format!("/v2/iam/policy/{id}")).await.expect(200);
    assert_eq!(unchanged["conditions"]["values"]["resource.Name.EQ"], "one");
    let confirmed = owner.post(&path, &path, &pairs(&typed(&seen.html))).await;
    assert_eq!(confirmed.status, 303, "{}", confirmed.html);
    let changed = admin.get(&format!("/v2/iam/policy/{id}")).await.expect(200);
    assert_eq!(changed["conditions"]["values"]["resource.Name.EQ"], "two");
}

on_both_databases!(a_condition_on_the_name_holds_where_the_resource_is_named_so);
async fn a_condition_on_the_name_holds_where_the_resource_is_named_so(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let caller = server.stranger(&admin).await;
    let policy = json!({
        "name": "by-name",
        "identities": [caller.urn()],
        "resources": [{"urn": "urn:v1:eu:resource:vps:web-1"}],
        "permissions": {"allow": [{"action": "vps:apiovh:get"}]},
        "conditions": {"operator": "MATCH", "values": {"resource.Name.EQ": "web-1"}},
    });
    admin.post("/v2/iam/policy", &policy).await.expect(200);
    let mut owner = PanelClient::new(&server);
    owner.sign_in(ACCOUNT, &server.password).await;
    let page = owner.get(&format!("/service-accounts/{}", caller.id)).await.html;
    assert!(page.contains("urn:v1:eu:resource:vps:web-1"), "{page}");
    assert!(!page.contains("under a condition"), "{page}");
}

on_both_databases!(a_session_ends_on_every_page_and_after_a_restart_goes_on);
async fn a_session_ends_on_every_page_and_after_a_restart_goes_on(database: TestDatabase) {
    let mut server = Server::start(&database);
    let mut visitor = PanelClient::new(&server);
    visitor.sign_in(ACCOUNT, &server.password).await;
    server.crash();
    visitor.url.clone_from(&server.url);
    assert_eq!(visitor.get("/me").await.status, 200);
    let kept = visitor.cookies.clone();
    assert_eq!(visitor.post("/me", "/sign-out", &[]).await.location, "/sign-in");
    visitor.cookies = kept;
    assert_eq!(visitor.get("/me").await.status, 303, "the old cookie is worth nothing");
}

on_both_databases!(every_page_is_guarded_by_its_headers);
async fn every_page_is_guarded_by_its_headers(database: TestDatabase) {
    let server = Server::start(&database);
    let mut visitor = PanelClient::new(&server);
    for page in ["/sign-in", "/nowhere", "/"] {
        let seen = visitor.get(page).await;
        let header = |name: &str| seen.headers[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{page}");
        assert!(!policy.contains("unsafe"), "{page}");
        assert_eq!(header("cache-control"), "no-store", "{page}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{page}");
        assert!(!header("x-ovh-queryid").is_empty(), "{page}");
    }
}

on_both_databases!(programs_still_get_their_own_errors);
async fn programs_still_get_their_own_errors(database: TestDatabase) {
    let server = Server::start(&database);
    let mut visitor = PanelClient::new(&server);
    let seen = visitor.get("/v1/nowhere").await;
    assert_eq!(seen.status, 404);
    assert!(seen.html.starts_with('{'), "{}", seen.html);
    let answer = http().get(format!("{}/nowhere", server.url)).send().await.unwrap();
    assert!(answer.text().await.unwrap().starts_with('{'));
}
