//! Accounts, service accounts, users, groups and personal access tokens.

use gatewright_iam::{
    Attachment, ClientEdit, ClientInput, Expiry, Fault, Flow, GroupInput, GroupName, IamError,
    Login, NewAccount, PolicyFilter, Role, Secret, TokenError, UserEdit, UserInput, UserTokenEdit,
    UserTokenInput, rights,
};
use serde_json::{Map, Value, json};

use crate::installation::{
    ACCOUNT, DAY, HOUR, INSTANT, Installation, REBOOT, VPS, account_urn, bad_credential, conflict,
    fault, grant, not_found, page, read_only, texts,
};

fn client(name: &str, flow: Flow, callback_urls: &[&str]) -> ClientInput {
    let callback_urls = texts(callback_urls);
    ClientInput { name: name.to_owned(), description: "x".to_owned(), flow, callback_urls }
}

fn user(login: &str) -> UserInput {
    UserInput { login: login.to_owned(), ..UserInput::default() }
}

fn group(name: &str, role: Option<Role>) -> GroupInput {
    GroupInput { name: name.to_owned(), description: None, role }
}

fn token(name: &str, expiry: Expiry) -> UserTokenInput {
    UserTokenInput { name: name.to_owned(), description: String::new(), expiry }
}

#[tokio::test]
async fn an_account_has_a_name_of_its_own_and_an_address() {
    let installation = Installation::new().await;
    assert_eq!(conflict(installation.create_account("AA11111-ovh").await), "AlreadyExists");
    fault(installation.create_account("nobody").await);
    let new = NewAccount {
        name: "cc33333-ovh".to_owned(),
        email: "nowhere".to_owned(),
        password: "correct horse".to_owned().into(),
        service_account: true,
    };
    assert_eq!(fault(installation.iam.create_account(new).await.map(drop)), Fault::Format);
}

#[tokio::test]
async fn an_account_begins_with_what_its_owner_needs() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let policies = iam.policies(&owner, Ok(PolicyFilter::default()), page()).await.unwrap().items;
    assert_eq!(policies.iter().map(|one| &*one.name).collect::<Vec<_>>(), ["ovh-default"]);
    assert!(policies[0].read_only);
    let groups = iam.resource_groups(&owner, page()).await.unwrap().items;
    assert_eq!((groups.len(), &*groups[0].name, groups[0].read_only), (1, "ovh-all", true));
    assert_eq!(groups[0].resources, [account_urn()]);
    assert_eq!(iam.me(&owner).await.unwrap().created_at, installation.now());
}

#[tokio::test]
async fn contact_details_change_field_by_field() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let edit = |fields: Value| Ok::<Map<_, _>, IamError>(fields.as_object().unwrap().clone());
    iam.edit_me(&owner, edit(json!({"city": "Roubaix", "country": "FR"}))).await.unwrap();
    let changed = iam.edit_me(&owner, edit(json!({"zip": "59100"}))).await.unwrap();
    let details = serde_json::to_value(&changed.contact_details).unwrap();
    assert_eq!((&details["city"], &details["zip"]), (&json!("Roubaix"), &json!("59100")));
    fault(iam.edit_me(&owner, edit(json!({"country": "Atlantis"}))).await);
    fault(iam.edit_me(&owner, edit(json!({"city": 7}))).await);
    let after = serde_json::to_value(iam.me(&owner).await.unwrap().contact_details).unwrap();
    assert_eq!(after, details, "a refused change changes nothing");
}

#[tokio::test]
async fn a_service_account_has_an_identifier_and_a_secret_that_is_shown_once() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let input = client("robot", Flow::ClientCredentials, &[]);
    let (made, secret) = iam.create_client(&owner, Ok(input)).await.unwrap();
    assert!(made.id.as_str().starts_with("EU.") && secret.reveal().starts_with("gws_"));
    let urn = format!("urn:v1:eu:identity:credential:{ACCOUNT}/oauth2-{}", made.id);
    assert_eq!(made.identity.as_deref(), Some(urn.as_str()));
    assert_eq!(iam.client(&owner, &made.id).await.unwrap(), made);
    let edit = ClientEdit { name: Some("other".to_owned()), ..ClientEdit::default() };
    let changed = iam.edit_client(&owner, &made.id, Ok(edit)).await.unwrap();
    assert_eq!((&*changed.name, &*changed.description), ("other", "x"), "what is left out stays");
    iam.delete_client(&owner, &made.id).await.unwrap();
    not_found(iam.client(&owner, &made.id).await);
    not_found(iam.delete_client(&owner, &made.id).await);
}

#[tokio::test]
async fn a_client_that_acts_for_people_has_a_callback_and_no_identity() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let flow = Flow::AuthorizationCode;
    let make = async |urls: &[&str]| iam.create_client(&owner, Ok(client("web", flow, urls))).await;
    assert_eq!(fault(make(&[]).await.map(drop)), Fault::Missing);
    assert_eq!(fault(make(&["nowhere"]).await.map(drop)), Fault::Format);
    assert_eq!(fault(make(&["https://a.test/#x"]).await.map(drop)), Fault::Format);
    let (made, _) = make(&["https://a.test/back"]).await.unwrap();
    assert_eq!(made.identity, None);
    let edit = ClientEdit { callback_urls: Some(Vec::new()), ..ClientEdit::default() };
    assert_eq!(fault(iam.edit_client(&owner, &made.id, Ok(edit)).await), Fault::Missing);
}

#[tokio::test]
async fn an_account_has_a_limit_of_service_accounts() {
    let installation = Installation::with(|settings| settings.limits.clients = 1).await;
    installation.stranger().await;
    let input = client("robot", Flow::ClientCredentials, &[]);
    let refused = installation.iam.create_client(&installation.owner(), Ok(input)).await;
    assert_eq!(fault(refused.map(drop)), Fault::Parameter);
}

#[tokio::test]
async fn service_accounts_that_are_not_used_are_listed() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let used = installation.stranger().await;
    let input = client("idle", Flow::ClientCredentials, &[]);
    let (idle, _) = iam.create_client(&owner, Ok(input)).await.unwrap();
    installation.pass(89 * DAY);
    let unused = iam.unused_clients(&installation.owner()).await.unwrap();
    assert!(unused.is_empty(), "nobody could use them for 90 days: {unused:?}");
    installation.pass(2 * DAY);
    let unused = iam.unused_clients(&installation.owner()).await.unwrap();
    assert!(unused.contains(&(idle.id.clone(), None)), "{unused:?}");
    assert!(unused.iter().any(|(id, at)| *id == used.client.id && at.is_some()), "{unused:?}");
}

#[tokio::test]
async fn a_user_has_a_login_of_their_own_and_groups_that_exist() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let jane = Login::new("jane");
    let made = iam.create_user(&owner, Ok(user("jane"))).await.unwrap();
    let unprivileged = [GroupName::new("UNPRIVILEGED")];
    assert_eq!(made.groups, unprivileged, "where none is named, one that may not write");
    assert_eq!(made.urn, format!("urn:v1:eu:identity:user:{ACCOUNT}/jane"));
    let again = iam.create_user(&owner, Ok(user("jane"))).await;
    assert_eq!(conflict(again), "USER_ALREADY_EXISTS");
    assert_eq!(fault(iam.create_user(&owner, Ok(user(""))).await), Fault::Missing);
    assert_eq!(fault(iam.create_user(&owner, Ok(user("a b"))).await), Fault::Format);
    let mut input = user("joe");
    input.email = Some("nowhere".to_owned());
    assert_eq!(fault(iam.create_user(&owner, Ok(input)).await), Fault::Format);
    let mut input = user("joe");
    input.groups = vec![GroupName::new("nobody")];
    assert_eq!(fault(iam.create_user(&owner, Ok(input)).await), Fault::Parameter);
    let edit = UserEdit { groups: Some(vec![GroupName::new("nobody")]), ..UserEdit::default() };
    assert_eq!(fault(iam.edit_user(&owner, &jane, Ok(edit)).await), Fault::Parameter);
    let edit = UserEdit { description: Some("Jane".to_owned()), ..UserEdit::default() };
    let changed = iam.edit_user(&owner, &jane, Ok(edit)).await.unwrap();
    assert_eq!((&*changed.description, &*changed.groups), ("Jane", &unprivileged[..]));
    iam.delete_user(&owner, &jane).await.unwrap();
    not_found(iam.user(&owner, &jane).await);
}

#[tokio::test]
async fn groups_that_every_account_has_cannot_be_changed() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let names: Vec<GroupName> =
        iam.groups(&owner).await.unwrap().into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["ADMIN", "DEFAULT", "UNPRIVILEGED"].map(GroupName::new));
    for name in names {
        assert!(iam.group(&owner, &name).await.unwrap().built_in);
        read_only(iam.edit_group(&owner, &name, Ok(group(name.as_str(), Some(Role::Admin)))).await);
        read_only(iam.delete_group(&owner, &name).await);
        let made = iam.create_group(&owner, Ok(group(name.as_str(), None))).await;
        assert_eq!(conflict(made), "GROUP_ALREADY_EXISTS");
    }
}

#[tokio::test]
async fn a_group_is_deleted_once_nobody_is_in_it() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    iam.create_group(&owner, Ok(group("ops", None))).await.unwrap();
    let again = iam.create_group(&owner, Ok(group("ops", None))).await;
    assert_eq!(conflict(again), "GROUP_ALREADY_EXISTS");
    installation.user("jane", &["ops"]).await;
    assert_eq!(fault(iam.delete_group(&owner, &GroupName::new("ops")).await), Fault::Parameter);
    iam.delete_user(&owner, &Login::new("jane")).await.unwrap();
    iam.delete_group(&owner, &GroupName::new("ops")).await.unwrap();
    not_found(iam.group(&owner, &GroupName::new("ops")).await);
}

#[tokio::test]
async fn the_role_of_a_group_is_in_force_at_once() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    iam.create_group(&owner, Ok(group("ops", None))).await.unwrap();
    installation.user("jane", &["ops"]).await;
    let made =
        iam.create_user_token(&owner, &Login::new("jane"), Ok(token("t", Expiry::Never))).await;
    let jane = installation.context_of(&made.unwrap().1).await.unwrap();
    let (account, ops) = (account_urn(), GroupName::new("ops"));
    for (role, reads, edits, manages) in [
        (Role::None, false, false, false),
        (Role::Unprivileged, true, false, false),
        (Role::Regular, true, true, false),
        (Role::Admin, true, true, true),
    ] {
        iam.edit_group(&owner, &ops, Ok(group("ops", Some(role)))).await.unwrap();
        assert_eq!(installation.may(&jane, rights::ME_GET, &account).await, reads, "{role:?}");
        assert_eq!(installation.may(&jane, rights::ME_EDIT, &account).await, edits, "{role:?}");
        let manage = rights::USER_CREATE;
        assert_eq!(installation.may(&jane, manage, &account).await, manages, "{role:?}");
    }
}

#[tokio::test]
async fn a_personal_access_token_is_its_users_and_counts_until_it_expires() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let jane = Login::new("jane");
    let urn = installation.user("jane", &[]).await;
    let input = token("laptop", Expiry::In(3_600));
    let (made, secret) = iam.create_user_token(&owner, &jane, Ok(input)).await.unwrap();
    assert_eq!(made.expires, Some(installation.now().saturating_add(HOUR)));
    assert!(secret.reveal().starts_with(&format!("gwp_{ACCOUNT}.")));
    let context = installation.context_of(&secret).await.unwrap();
    assert_eq!(context.principal.identity.urn(), urn);
    let again = iam.create_user_token(&owner, &jane, Ok(token("laptop", Expiry::Never))).await;
    assert_eq!(conflict(again.map(drop)), "TOKEN_ALREADY_EXISTS");
    let past = token("past", Expiry::At(installation.now()));
    assert_eq!(fault(iam.create_user_token(&owner, &jane, Ok(past)).await), Fault::Format);
    installation.pass(HOUR);
    bad_credential(installation.context_of(&secret).await);
    let edit = UserTokenEdit { expiry: Some(Expiry::Never), ..UserTokenEdit::default() };
    iam.edit_user_token(&owner, &jane, "laptop", Ok(edit)).await.unwrap();
    installation.context_of(&secret).await.unwrap();
    iam.delete_user_token(&owner, &jane, "laptop").await.unwrap();
    bad_credential(installation.context_of(&secret).await);
}

#[tokio::test]
async fn tokens_of_a_user_who_is_disabled_or_gone_count_no_more() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let jane = Login::new("jane");
    installation.user("jane", &[]).await;
    let input = token("laptop", Expiry::Never);
    let (_, secret) = iam.create_user_token(&owner, &jane, Ok(input)).await.unwrap();
    iam.disable_user(&owner, &jane).await.unwrap();
    bad_credential(installation.context_of(&secret).await);
    iam.enable_user(&owner, &jane).await.unwrap();
    bad_credential(installation.context_of(&secret).await);
    let input = token("laptop", Expiry::Never);
    let (_, secret) = iam.create_user_token(&owner, &jane, Ok(input)).await.unwrap();
    installation.context_of(&secret).await.unwrap();
    iam.delete_user(&owner, &jane).await.unwrap();
    bad_credential(installation.context_of(&secret).await);
    // A later user with the same login does not inherit the token.
    installation.pass(INSTANT);
    installation.user("jane", &[]).await;
    bad_credential(installation.context_of(&secret).await);
    assert!(iam.user_tokens(&installation.owner(), &jane).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_service_account_is_disabled_and_enabled_without_losing_anything_but_its_tokens() {
    let installation = Installation::new().await;
    let (iam, owner, caller) =
        (&installation.iam, installation.owner(), installation.stranger().await);
    installation.allow(&caller.urn(), &[REBOOT], &[VPS]).await;
    let id = &caller.client.id;
    let issue = async |secret: &Secret| {
        let about = (None, iam.new_query_id(), installation.now());
        iam.issue(&grant(id, secret, "all"), about).await
    };
    assert!(!iam.disable_client(&owner, id).await.unwrap().enabled);
    bad_credential(installation.context_of(&caller.token).await);
    let refused = issue(&caller.secret).await;
    assert!(matches!(refused, Err(TokenError::UnauthorizedClient(_))), "{refused:?}");
    let wrong = issue(&Secret::from("wrong".to_owned())).await;
    assert!(matches!(wrong, Err(TokenError::InvalidClient)), "only the right secret hears it");
    assert!(!iam.client(&owner, id).await.unwrap().enabled);
    // It may still be edited, and stays disabled.
    let edit = ClientEdit { name: Some("renamed".to_owned()), ..ClientEdit::default() };
    assert!(!iam.edit_client(&owner, id, Ok(edit)).await.unwrap().enabled);
    assert!(iam.enable_client(&owner, id).await.unwrap().enabled);
    bad_credential(installation.context_of(&caller.token).await);
    // Even in the same second.
    let token = issue(&caller.secret).await.unwrap().access_token;
    let context = installation.context_of(&token).await.unwrap();
    assert!(installation.may(&context, REBOOT, VPS).await);
    // And again.
    let mut last = token;
    for _ in 0..3 {
        iam.disable_client(&owner, id).await.unwrap();
        iam.enable_client(&owner, id).await.unwrap();
        bad_credential(installation.context_of(&last).await);
        last = issue(&caller.secret).await.unwrap().access_token;
        installation.context_of(&last).await.unwrap();
    }
}

#[tokio::test]
async fn a_login_that_is_made_again_inherits_nothing() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let jane = Login::new("jane");
    let urn = installation.user("jane", &["UNPRIVILEGED"]).await;
    let other = installation.user("john", &["UNPRIVILEGED"]).await;
    let policy = installation.allow(&urn, &[REBOOT], &[VPS]).await;
    let both = installation.allow(&urn, &[REBOOT], &[VPS]).await;
    let attached = Attachment::Attached;
    iam.set_policy_identity(&owner, Ok(both.rule.id), &other, attached).await.unwrap();
    let before = installation.changes().await;
    iam.delete_user(&owner, &jane).await.unwrap();
    assert_eq!(installation.changes().await, before + 3, "the user, and two policies");
    let identities = async |id| iam.policy(&owner, Ok(id)).await.unwrap().rule.identities;
    assert!(identities(policy.rule.id).await.is_empty());
    assert_eq!(identities(both.rule.id).await, [other]);
    installation.pass(INSTANT);
    assert_eq!(installation.user("jane", &["UNPRIVILEGED"]).await, urn);
    let (_, token) = iam
        .create_user_token(&installation.owner(), &jane, Ok(token("t", Expiry::Never)))
        .await
        .unwrap();
    let again = installation.context_of(&token).await.unwrap();
    assert!(!installation.may(&again, REBOOT, VPS).await);
    // Groups of users likewise.
    iam.create_group(&owner, Ok(group("ops", None))).await.unwrap();
    let ops = iam.group(&owner, &GroupName::new("ops")).await.unwrap().urn;
    let policy = installation.allow(&ops, &[REBOOT], &[VPS]).await;
    iam.delete_group(&owner, &GroupName::new("ops")).await.unwrap();
    assert!(identities(policy.rule.id).await.is_empty());
}

#[tokio::test]
async fn enabling_a_user_revives_no_token() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let jane = Login::new("jane");
    installation.user("jane", &["UNPRIVILEGED"]).await;
    let new = async |name| {
        let made = iam.create_user_token(&owner, &jane, Ok(token(name, Expiry::Never))).await;
        made.unwrap().1
    };
    let old = new("old").await;
    installation.context_of(&old).await.unwrap();
    iam.disable_user(&owner, &jane).await.unwrap();
    bad_credential(installation.context_of(&old).await);
    assert!(iam.user_tokens(&owner, &jane).await.unwrap().is_empty());
    // One that was made in the meantime does not count either.
    let meanwhile = new("meanwhile").await;
    iam.enable_user(&owner, &jane).await.unwrap();
    for token in [&old, &meanwhile] {
        bad_credential(installation.context_of(token).await);
    }
    installation.context_of(&new("new").await).await.unwrap();
}
