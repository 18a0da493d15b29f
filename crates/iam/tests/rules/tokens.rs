//! Access tokens: issued, introspected, revoked.

use gatewright_iam::{
    AccountName, ClientId, ClientInput, Flow, Grant, Issued, ResourceUrn, Secret, Settings,
    TokenError, rights,
};

use crate::installation::{
    ACCOUNT, Caller, HOUR, INSTANT, Installation, OTHER, REBOOT, VPS, account_urn, bad_credential,
    grant,
};

impl Installation {
    async fn issue(&self, grant: &Grant) -> Result<Issued, TokenError> {
        self.iam.issue(grant, (None, self.iam.new_query_id(), self.now())).await
    }

    async fn issue_to(&self, caller: &Caller, scope: &str) -> Result<Issued, TokenError> {
        self.issue(&grant(&caller.client.id, &caller.secret, scope)).await
    }

    async fn revoke(&self, by: &Caller, token: &Secret) -> Result<(), TokenError> {
        let about = (None, self.iam.new_query_id(), self.now());
        self.iam.revoke(&by.client.id, &by.secret, token.reveal(), about).await
    }
}

#[tokio::test]
async fn a_client_proves_itself_by_its_secret() {
    let installation = Installation::new().await;
    let caller = installation.stranger().await;
    let wrong = Secret::from("gws_wrong".to_owned());
    for grant in [
        grant(&caller.client.id, &wrong, "all"),
        grant(&ClientId::new("EU.0"), &caller.secret, "all"),
    ] {
        let refused = installation.issue(&grant).await;
        assert!(matches!(refused, Err(TokenError::InvalidClient)), "{refused:?}");
    }
    let client = ClientInput {
        name: "web".to_owned(),
        description: "x".to_owned(),
        flow: Flow::AuthorizationCode,
        callback_urls: vec!["https://a.test/".to_owned()],
    };
    let made = installation.iam.create_client(&installation.owner(), Ok(client)).await.unwrap();
    let refused = installation.issue(&grant(&made.0.id, &made.1, "all")).await;
    assert!(matches!(refused, Err(TokenError::UnauthorizedClient(_))), "{refused:?}");
}

#[tokio::test]
async fn a_scope_is_all_or_types_of_resources() {
    let installation = Installation::new().await;
    let caller = installation.stranger().await;
    for scope in ["all", "vps/all", "vps/all account/all", "openid all"] {
        assert_eq!(installation.issue_to(&caller, scope).await.unwrap().scope, scope);
    }
    for scope in ["", "vps", "vps/read", "everything", "*/all"] {
        let refused = installation.issue_to(&caller, scope).await;
        assert!(matches!(refused, Err(TokenError::InvalidScope)), "{scope}: {refused:?}");
    }
}

#[tokio::test]
async fn a_token_is_good_for_its_scope_alone() {
    let installation = Installation::new().await;
    let caller = installation.stranger_with("account/all").await;
    installation.allow(&caller.urn(), &["*"], &["urn:v1:eu:resource:*"]).await;
    assert!(!installation.may(&caller.context, REBOOT, VPS).await);
    let mine = gatewright_iam::rights::ME_GET;
    assert!(installation.may(&caller.context, mine, &account_urn()).await);
}

#[tokio::test]
async fn a_token_expires_after_an_hour() {
    let installation = Installation::new().await;
    let caller = installation.stranger().await;
    installation.pass(HOUR.saturating_sub(INSTANT));
    installation.context_of(&caller.token).await.unwrap();
    installation.pass(INSTANT);
    bad_credential(installation.context_of(&caller.token).await);
}

#[tokio::test]
async fn a_token_dies_with_its_service_account() {
    let installation = Installation::new().await;
    let caller = installation.stranger().await;
    let owner = installation.owner();
    installation.iam.delete_client(&owner, &caller.client.id).await.unwrap();
    bad_credential(installation.context_of(&caller.token).await);
}

#[tokio::test]
async fn nonsense_is_no_token() {
    let installation = Installation::new().await;
    for text in ["", "x", "a.b.c", "gwp_x.y", "gws_x"] {
        bad_credential(installation.context_of(&Secret::from(text.to_owned())).await);
    }
}

#[tokio::test]
async fn a_token_is_revoked_by_its_own_client_alone() {
    let installation = Installation::new().await;
    let (caller, other) = (installation.stranger().await, installation.stranger().await);
    let refused = installation.revoke(&other, &caller.token).await;
    assert!(matches!(refused, Err(TokenError::UnauthorizedClient(_))), "{refused:?}");
    installation.context_of(&caller.token).await.unwrap();
    installation.revoke(&caller, &caller.token).await.unwrap();
    bad_credential(installation.context_of(&caller.token).await);
    // Revoking a revoked or an invalid token succeeds without a change.
    let before = installation.changes().await;
    installation.revoke(&caller, &caller.token).await.unwrap();
    installation.revoke(&caller, &Secret::from("x".to_owned())).await.unwrap();
    assert_eq!(installation.changes().await, before);
    let another = installation.issue_to(&caller, "all").await.unwrap();
    installation.context_of(&another.access_token).await.unwrap();
}

#[tokio::test]
async fn a_token_is_introspected_while_it_counts() {
    let installation = Installation::new().await;
    let (caller, other) = (installation.stranger().await, installation.stranger().await);
    let ask = async |token: &Secret| {
        let (id, secret, now) = (&other.client.id, &other.secret, installation.now());
        installation
            .iam
            .introspect(id, secret, token.reveal(), (None, installation.iam.new_query_id(), now))
            .await
            .unwrap()
    };
    assert!(ask(&other.token).await.is_some(), "its own");
    assert!(ask(&caller.token).await.is_none(), "another's, without the right");
    installation.allow(&other.urn(), &[rights::TOKEN_INTROSPECT], &[&account_urn()]).await;
    let found = ask(&caller.token).await.unwrap();
    assert_eq!((found.identity, found.client_id), (caller.urn(), caller.client.id.clone()));
    assert!(found.is_access_token && found.expires.since(found.issued) == Some(HOUR));
    assert!(ask(&Secret::from("x".to_owned())).await.is_none());
    installation.revoke(&caller, &caller.token).await.unwrap();
    assert!(ask(&caller.token).await.is_none());
}

#[tokio::test]
async fn an_id_token_says_the_roles_on_projects_and_opens_nothing() {
    let installation = Installation::new().await;
    let project = "urn:v1:eu:resource:publicCloudProject:shop";
    installation.resource(project, &[]).await;
    let caller = installation.stranger().await;
    let role = "publicCloudProject:openstack:computeOperator";
    installation.allow(&caller.urn(), &[role], &[project]).await;
    let iam = &installation.iam;
    let projects: Option<ResourceUrn> = Some(iam.project_target(project).unwrap());
    let grant = Grant { projects, ..grant(&caller.client.id, &caller.secret, "openid all") };
    let issued = installation.issue(&grant).await.unwrap();
    let id_token = issued.id_token.unwrap();
    bad_credential(installation.context_of(&id_token).await);
    let (id, secret, now) = (&caller.client.id, &caller.secret, installation.now());
    let found = iam
        .introspect(id, secret, id_token.reveal(), (None, installation.iam.new_query_id(), now))
        .await
        .unwrap()
        .unwrap();
    assert!(!found.is_access_token);
    assert_eq!(found.roles.unwrap().project_roles, ["shop:computeOperator"]);
    let wrong = iam.project_target(VPS);
    assert!(matches!(wrong, Err(TokenError::InvalidTarget)), "{wrong:?}");
}

#[tokio::test]
async fn tokens_of_other_accounts_are_introspected_by_registrars_alone() {
    for is_registrar in [false, true] {
        let installation = Installation::with(|settings| {
            let registrar = if is_registrar { ACCOUNT } else { "zz9-ovh" };
            settings.registrars = vec![AccountName::new(registrar)];
        })
        .await;
        installation.create_account(OTHER).await.unwrap();
        let (iam, caller) = (&installation.iam, installation.stranger().await);
        installation.allow(&caller.urn(), &["*"], &["urn:v1:eu:resource:*"]).await;
        let theirs = iam.as_owner(&AccountName::new(OTHER));
        let input = ClientInput {
            name: "theirs".to_owned(),
            description: "x".to_owned(),
            flow: Flow::ClientCredentials,
            callback_urls: Vec::new(),
        };
        let (client, secret) = iam.create_client(&theirs, Ok(input)).await.unwrap();
        let token = installation.issue(&grant(&client.id, &secret, "all")).await.unwrap();
        let (id, secret, now) = (&caller.client.id, &caller.secret, installation.now());
        let token = token.access_token;
        let found = iam
            .introspect(id, secret, token.reveal(), (None, installation.iam.new_query_id(), now))
            .await
            .unwrap();
        assert_eq!(found.is_some(), is_registrar);
    }
}

#[tokio::test]
async fn a_client_is_checked_by_its_secret_alone() {
    let installation = Installation::new().await;
    let (iam, caller) = (&installation.iam, installation.stranger().await);
    let (id, wrong) = (&caller.client.id, Secret::from("gws_wrong".to_owned()));
    iam.check_client(id, &caller.secret, None).await.unwrap();
    for (id, secret) in [(id, &wrong), (&ClientId::new("EU.0"), &caller.secret)] {
        let refused = iam.check_client(id, secret, None).await;
        assert!(matches!(refused, Err(TokenError::InvalidClient)), "{refused:?}");
    }
}

#[tokio::test]
async fn a_token_was_issued_here_whether_it_is_valid_or_not() {
    let (installation, elsewhere) = (Installation::new().await, Installation::with(other).await);
    let (iam, caller) = (&installation.iam, installation.stranger().await);
    let token = caller.token.reveal();
    assert!(iam.is_issued_here(token).await);
    installation.revoke(&caller, &caller.token).await.unwrap();
    installation.pass(2 * HOUR);
    bad_credential(installation.context_of(&caller.token).await);
    assert!(iam.is_issued_here(token).await);
    assert!(!elsewhere.iam.is_issued_here(token).await, "it has another issuer");
    for made_up in ["", "a.b.c", &token[..token.len() - 4]] {
        assert!(!iam.is_issued_here(made_up).await, "{made_up}");
    }
}

/// Sets another public URL, which is the issuer of tokens.
fn other(settings: &mut Settings) {
    "https://other.test".clone_into(&mut settings.public_url);
}
