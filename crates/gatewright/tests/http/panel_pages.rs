//! The panel as people use it, in a real browser.

use gatewright_testing::TestDatabase;
use serde_json::json;

use crate::browser::Browser;
use crate::server::{ACCOUNT, Server};

pub(crate) fn server() -> (TestDatabase, Server) {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    (database, server)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_account_lives_its_whole_life_in_the_panel() {
    let (_database, server) = server();
    let admin = server.admin().await;
    let browser = Browser::open(&server.url).await;
    browser.go("/service-accounts").await;
    browser.is_at("/sign-in").await;
    browser.is_sound("sign-in").await;
    browser.fill("#login", ACCOUNT).await;
    browser.fill("#password", &server.password).await;
    browser.choose("Sign in").await;
    browser.is_at("/service-accounts").await;
    browser.is_sound("service-accounts").await;
    browser.choose("Overview").await;
    browser.is_sound("overview").await;
    browser.choose("Service accounts").await;

    browser.choose("Create a service account").await;
    browser.is_sound("service-account-create").await;
    browser.fill("#name", "invoices").await;
    browser.fill("#description", "Writes <b>invoices</b>").await;
    browser.choose("Create").await;
    browser.says("invoices is ready").await;
    browser.is_sound("service-account-created").await;
    let (id, secret) = (browser.value("#client-id").await, browser.value("#client-secret").await);
    let caller = server.login(&id, &secret).await;

    browser.choose("I have saved the secret").await;
    browser.says("Writes <b>invoices</b>").await;
    browser.says("No policy names it").await;
    assert_eq!(browser.value("#urn").await, caller.urn());

    let url = "urn:v1:eu:resource:vps:vps-1";
    let policy = json!({
        "name": "invoices-policy",
        "identities": [],
        "resources": [{"urn": url}],
        "permissions": {"allow": [{"action": "vps:apiovh:get"}]},
    });
    admin.post("/v2/iam/policy", &policy).await.expect(200);
    browser.driver.refresh().await.unwrap();
    browser.find("#policy option").await;
    let name = "//option[normalize-space()='invoices-policy']";
    let option = browser.driver.find(thirtyfour::By::XPath(name)).await.unwrap();
    option.click().await.unwrap();
    browser.choose("Attach").await;
    browser.says("The service account is attached.").await;
    assert!(caller.may("vps:apiovh:get", url).await);
    browser.is_sound("service-account").await;

    browser.choose("Delete").await;
    browser.says("One policy names it").await;
    browser.is_sound("service-account-delete").await;
    browser.choose("Detach it instead").await;
    browser.says("The service account is detached.").await;
    assert!(!caller.may("vps:apiovh:get", url).await);

    browser.choose("Edit").await;
    browser.is_sound("service-account-edit").await;
    browser.fill("#name", "invoices-2").await;
    browser.choose("Save").await;
    browser.says("The changes are saved.").await;
    browser.says("invoices-2").await;

    browser.go("/service-accounts").await;
    browser.fill("#search", "no such name").await;
    browser.says("No service account fits.").await;
    browser.fill("#search", "INVOICES-2").await;
    browser.says("One service account").await;
    browser.choose("Delete invoices-2").await;
    browser.choose("Delete for good").await;
    browser.says("The service account is deleted.").await;
    assert_eq!(server.token(&id, &secret, "all").await.status, 401);
    browser.is_quiet("the end").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_changes_their_password_and_ends_their_sessions() {
    let (_database, server) = server();
    let (one, other) = (Browser::open(&server.url).await, Browser::open(&server.url).await);
    for browser in [&one, &other] {
        browser.sign_in(ACCOUNT, &server.password).await;
        browser.go("/me").await;
    }
    one.is_sound("me").await;
    one.driver.refresh().await.unwrap();
    one.choose("End").await;
    one.says("The session has ended.").await;
    other.go("/service-accounts").await;
    other.is_at("/sign-in").await;
    other.sign_in(ACCOUNT, &server.password).await;

    one.go("/me").await;
    one.fill("#password-old", &server.password).await;
    one.fill("#password-new", "correct horse").await;
    one.fill("#password-again", "correct mule").await;
    one.choose("Change the password").await;
    one.says("The two new passwords differ.").await;
    one.fill("#password-old", "wrong").await;
    one.fill("#password-new", "correct horse").await;
    one.fill("#password-again", "correct horse").await;
    one.choose("Change the password").await;
    one.says("The present password is wrong.").await;
    one.fill("#password-old", &server.password).await;
    one.fill("#password-new", "correct horse").await;
    one.fill("#password-again", "correct horse").await;
    one.choose("Change the password").await;
    one.says("Your password is changed").await;
    other.go("/me").await;
    other.is_at("/sign-in").await;
    other.sign_in(ACCOUNT, &server.password).await;
    other.says("The login or the password is wrong.").await;
    other.is_sound("sign-in-wrong").await;
    other.sign_in(ACCOUNT, "correct horse").await;
    other.is_at("/").await;

    one.go("/me").await;
    one.choose("Sign out").await;
    one.is_at("/sign-in").await;
    one.go("/me").await;
    one.is_at("/sign-in").await;
    one.close().await;
    other.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_signs_in_without_a_password() {
    let database = TestDatabase::sqlite();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (listen, url) = (format!("127.0.0.1:{port}"), format!("http://localhost:{port}"));
    let server = Server::start_with(&database, &["--listen", &listen, "--public-url", &url]);
    let browser = Browser::open(&url).await;
    browser.has_a_virtual_authenticator().await;
    browser.sign_in(ACCOUNT, &server.password).await;
    browser.go("/me").await;
    browser.says("You have none.").await;
    browser.choose("Add a passkey").await;
    browser.fill("#name", "my device").await;
    browser.fill("#password", "wrong").await;
    browser.choose("Make the passkey").await;
    browser.says("The present password is wrong.").await;
    browser.holds("#name", "my device").await;
    browser.is_sound("passkey-create").await;
    browser.fill("#password", &server.password).await;
    browser.choose("Make the passkey").await;
    browser.says("The passkey is added.").await;
    browser.is_sound("me-passkey").await;
    browser.choose("Sign out").await;
    browser.is_at("/sign-in").await;
    browser.is_sound("sign-in-passkey").await;
    browser.choose("Sign in with a passkey").await;
    browser.says("Decisions").await;
    browser.go("/me").await;
    browser.choose("Set up an authenticator").await;
    browser.says("Scan this").await;
    browser.is_sound("totp").await;
    let secret = totp_rs::Secret::try_from_base32(browser.value("#totp-secret").await).unwrap();
    let builder = totp_rs::Builder::new().with_secret(secret).with_account_name("x");
    let code = builder.build().unwrap().generate_current().to_string();
    browser.fill("#code", &code).await;
    browser.fill("#password", &server.password).await;
    browser.choose("Ask for codes from now on").await;
    browser.says("Save these codes now").await;
    browser.is_sound("backup-codes").await;
    let backup = browser.text(".gw-codes li").await;
    browser.choose("I have saved the codes").await;
    browser.says("10 backup codes are left.").await;
    browser.is_sound("me-totp").await;
    browser.choose("Sign out").await;
    browser.is_at("/sign-in").await;
    browser.fill("#login", ACCOUNT).await;
    browser.fill("#password", &server.password).await;
    browser.choose("Sign in").await;
    browser.says("Your code").await;
    browser.is_sound("sign-in-code").await;
    browser.fill("#code", &code).await;
    browser.choose("Sign in").await;
    browser.says("was used before").await;
    browser.fill("#code", &backup).await;
    browser.choose("Sign in").await;
    browser.says("Tokens").await;
    browser.go("/me").await;
    browser.says("9 backup codes are left.").await;
    browser.fill("#totp-password", &server.password).await;
    browser.choose("Ask for no codes").await;
    browser.says("No codes are asked for any more.").await;
    browser.fill("#passkey-password-1", &server.password).await;
    browser.choose("Delete my device").await;
    browser.says("The passkey is deleted.").await;
    browser.choose("Sign out").await;
    browser.is_at("/sign-in").await;
    browser.choose("Sign in with a passkey").await;
    browser.says("The passkey is not known here").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_get_in_by_users_and_groups() {
    let (_database, server) = server();
    let browser = Browser::open(&server.url).await;
    browser.sign_in(ACCOUNT, &server.password).await;
    browser.choose("Groups").await;
    browser.is_sound("groups").await;
    browser.choose("Create a group").await;
    browser.fill("#name", "on call").await;
    browser.press("#role-unprivileged").await;
    browser.is_sound("group-create").await;
    browser.choose("Create").await;
    browser.says("may hold letters").await;
    browser.holds("#name", "on call").await;
    browser.fill("#name", "on-call").await;
    browser.choose("Create").await;
    browser.says("The group is created.").await;
    browser.says("Read only").await;

    browser.choose("Users").await;
    browser.says("No user fits.").await;
    browser.choose("Create a user").await;
    browser.fill("#login", "jane").await;
    browser.fill("#password", "correct horse").await;
    browser.fill("#email", "jane@example.com").await;
    browser.press("#group-UNPRIVILEGED").await;
    browser.press("#group-on-call").await;
    browser.is_sound("user-create").await;
    browser.choose("Create").await;
    browser.says("The user is created.").await;
    browser.is_sound("user").await;
    browser.choose("Users").await;
    browser.says("One user").await;
    browser.says("on-call").await;
    browser.is_sound("users").await;

    let other = Browser::open(&server.url).await;
    let login = format!("{ACCOUNT}/jane");
    other.sign_in(&login, "correct horse").await;
    other.go("/service-accounts").await;
    other.says("automation").await;
    other.choose("Create a service account").await;
    other.fill("#name", "not allowed").await;
    other.fill("#description", "by a read-only role").await;
    other.choose("Create").await;
    other.says("You may not do this").await;
    other.says("account:apiovh:me/api/oauth2/client/create").await;
    other.is_sound("forbidden").await;

    browser.choose("jane").await;
    browser.choose("Disable").await;
    browser.says("may not sign in any more").await;
    other.go("/service-accounts").await;
    other.is_at("/sign-in").await;
    browser.choose("Enable").await;
    browser.says("may sign in again").await;
    browser.go("/groups/on-call").await;
    browser.is_sound("group").await;
    browser.choose("Delete this group").await;
    browser.says("move them first").await;
    browser.go("/users/jane").await;
    browser.choose("Delete this user").await;
    browser.says("The user is deleted.").await;
    browser.go("/groups/on-call").await;
    browser.choose("Delete this group").await;
    browser.says("The group is deleted.").await;
    browser.close().await;
    other.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_seen_in_the_logs_and_with_the_service_account() {
    let (_database, server) = server();
    let admin = server.admin().await;
    let caller = server.stranger(&admin).await;
    let (vps, reboot) = ("urn:v1:eu:resource:vps:any", "vps:apiovh:reboot");
    admin.allow("reboots", &caller, reboot, vps).await;
    assert!(caller.may(reboot, vps).await);
    assert!(!caller.may("vps:apiovh:terminate", vps).await);
    assert_eq!(server.token(&caller.id, "wrong", "all").await.status, 401);

    let browser = Browser::open(&server.url).await;
    browser.sign_in(ACCOUNT, &server.password).await;
    browser.go(&format!("/service-accounts/{}", caller.id)).await;
    browser.says("One action").await;
    browser.says("Wrong secret").await;
    browser.says("Given out").await;
    browser.says("vps:apiovh:terminate").await;
    browser.is_sound("service-account-used").await;
    let conditional = json!({
        "name": "conditional",
        "identities": [caller.urn()],
        "resources": [{"urn": "urn:v1:eu:resource:vps:other"}],
        "permissions": {"allow": [{"action": reboot}]},
        "conditions": {"operator": "MATCH", "values": {"resource.Tag(env)": "test"}},
    });
    admin.post("/v2/iam/policy", &conditional).await.expect(200);
    browser.driver.refresh().await.unwrap();
    browser.says("one of them under a condition that does not hold").await;

    browser.choose("Logs").await;
    browser.says("policy created").await;
    browser.is_sound("logs-audit").await;
    browser.choose("Decisions").await;
    browser.says("No policy allows it.").await;
    browser.fill("#what", "terminate").await;
    browser.says_no_more(reboot).await;
    browser.says("vps:apiovh:terminate").await;
    browser.is_sound("logs-decisions").await;
    browser.press("#live").await;
    browser.find("#table[hx-trigger='every 2s']").await;
    assert!(!caller.may("vps:apiovh:terminate", "urn:v1:eu:resource:vps:while-one-looks").await);
    browser.says("while-one-looks").await;
    browser.choose("Activity").await;
    browser.says("GET /logs/decisions").await;
    browser.is_sound("logs-activity").await;
    browser.is_quiet("logs").await;

    browser.choose("Overview").await;
    browser.says("4 allowed, 2 refused").await;
    browser.says("One policy allows every action").await;
    browser.choose("Last 30 days").await;
    browser.is_sound("overview-used").await;

    browser.go("/policies/try").await;
    browser.fill("#try-identity", &caller.urn()).await;
    browser.fill("#try-action", reboot).await;
    browser.fill("#try-resource", vps).await;
    browser.press("button.pf-m-primary").await;
    browser.says("reboots allows the action.").await;
    browser.is_sound("try").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_get_tags_and_groups() {
    let (_database, server) = server();
    let browser = Browser::open(&server.url).await;
    browser.sign_in(ACCOUNT, &server.password).await;
    browser.choose("Resources").await;
    browser.choose("Register a resource").await;
    browser.fill("#urn", "urn:v1:eu:resource:vps").await;
    browser.choose("Create").await;
    browser.holds("#urn", "urn:v1:eu:resource:vps").await;
    browser.is_sound("resource-create").await;
    browser.fill("#urn", "urn:v1:eu:resource:vps:web-1").await;
    browser.fill("#name", "The web").await;
    browser.fill("#tags", "env:test").await;
    browser.choose("Create").await;
    browser.says("The resource is registered.").await;
    browser.says("env:test").await;
    browser.is_sound("resources").await;
    browser.choose("The web").await;
    browser.fill("#key", "ovh:x").await;
    browser.fill("#value", "y").await;
    browser.choose("Add the tag").await;
    browser.holds("#value", "y").await;
    browser.fill("#key", "team").await;
    browser.choose("Add the tag").await;
    browser.says("team:y").await;
    browser.is_sound("resource").await;
    browser.choose("Delete team").await;
    browser.says_no_more("team:y").await;
    browser.choose("Resources").await;
    browser.choose("Tags").await;
    browser.says("One tag").await;
    browser.is_sound("tags").await;
    browser.choose("env:test").await;
    browser.says("The web").await;

    browser.go("/resource-groups").await;
    browser.is_sound("resource-groups").await;
    browser.choose("Create a resource group").await;
    browser.fill("#name", "webs").await;
    let label = "//option[normalize-space()='The web (vps)']";
    browser.driver.find(thirtyfour::By::XPath(label)).await.unwrap().click().await.unwrap();
    browser.choose("Add the resource").await;
    browser.holds("#resources", "urn:v1:eu:resource:vps:web-1").await;
    browser.is_sound("resource-group-create").await;
    browser.choose("Create").await;
    browser.says("The group is created.").await;
    browser.choose("webs").await;
    browser.is_sound("resource-group").await;
    browser.choose("Delete this group").await;
    browser.says("The group is deleted.").await;

    browser.choose("Permissions groups").await;
    browser.says("globalReadOnly").await;
    browser.is_sound("permissions-groups").await;
    browser.choose("globalReadOnly").await;
    browser.says("It belongs to the server.").await;
    browser.go("/permissions-groups/create").await;
    browser.fill("#name", "rebooters").await;
    browser.fill("#allow", "vps:apiovh:*boot").await;
    browser.is_sound("permissions-group-create").await;
    browser.choose("Save").await;
    browser.holds("#name", "rebooters").await;
    browser.fill("#allow", "vps:apiovh:reboot").await;
    browser.fill("#description", "Those who reboot").await;
    browser.choose("Save").await;
    browser.says("The group is created.").await;
    browser.choose("rebooters").await;
    browser.is_sound("permissions-group").await;
    browser.choose("Delete this group").await;
    browser.says("The group is deleted.").await;
    browser.go("/resources").await;
    browser.choose("The web").await;
    browser.choose("Forget this resource").await;
    browser.says("The resource is forgotten.").await;
    browser.is_quiet("resources").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_gets_a_token_that_is_shown_once() {
    let (_database, server) = server();
    let admin = server.admin().await;
    let user = json!({"login": "jane", "password": "correct horse", "group": "UNPRIVILEGED"});
    admin.post("/v1/me/identity/user", &user).await.expect(200);
    let browser = Browser::open(&server.url).await;
    browser.sign_in(ACCOUNT, &server.password).await;
    browser.go("/users/jane").await;
    browser.choose("Personal access tokens").await;
    browser.says("There is no token.").await;
    browser.choose("Create a token").await;
    browser.fill("#name", "laptop").await;
    browser.fill("#expiry", "yesterday").await;
    browser.is_sound("token-create").await;
    browser.choose("Create").await;
    browser.says("a number of days").await;
    browser.holds("#name", "laptop").await;
    browser.fill("#expiry", "30").await;
    browser.choose("Create").await;
    browser.says("it cannot be shown again").await;
    browser.is_sound("token-created").await;
    let program = server.bearing(&browser.value("#token").await);
    program.get("/v1/me/identity/user").await.expect(200);
    browser.choose("I have saved the token").await;
    browser.says("Active").await;
    browser.is_sound("tokens").await;
    browser.choose("laptop").await;
    browser.is_sound("token").await;
    browser.fill("#description", "of jane").await;
    browser.choose("Save").await;
    browser.says("of jane").await;
    browser.choose("Delete laptop").await;
    browser.says("The token is deleted.").await;
    assert_eq!(program.get("/v1/me/identity/user").await.status, 401);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_survives_the_end_of_the_session() {
    let (_database, server) = server();
    let browser = Browser::open(&server.url).await;
    let other = Browser::open(&server.url).await;
    browser.sign_in(ACCOUNT, &server.password).await;
    browser.go("/service-accounts/create").await;
    browser.fill("#name", "kept").await;
    browser.fill("#description", "typed before the end").await;
    other.sign_in(ACCOUNT, &server.password).await;
    other.go("/me").await;
    other.choose("End").await;
    browser.choose("Create").await;
    browser.says("Your session has ended.").await;
    browser.is_sound("session-ended").await;
    browser.fill("#login", ACCOUNT).await;
    browser.fill("#password", &server.password).await;
    browser.choose("Sign in").await;
    browser.says("typed before the end").await;
    browser.is_sound("resume").await;
    browser.choose("Send").await;
    browser.says("kept is ready").await;
    browser.close().await;
    other.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_lost_finds_a_way_back_in_their_language() {
    let (_database, server) = server();
    let browser = Browser::open_in("fr", &server.url).await;
    browser.go("/nowhere").await;
    browser.says("Introuvable").await;
    browser.is_sound("not-found").await;
    browser.choose("Retour au début").await;
    browser.says("Se connecter").await;
    browser.close().await;
}
