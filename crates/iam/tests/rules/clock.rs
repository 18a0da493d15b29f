//! A clock that is wrong, jumps ahead or is put back: nothing is allowed again that was not, and nothing
//! is lost that counts.

use std::sync::Arc;
use std::time::Duration;

use gatewright_iam::{
    Context, Expiry, Iam, IamError, IdempotencyKey, Instant, LogFilter, LogKind, Login,
    PolicyInput, Reauthentication, RequestConditions, Secret, SessionToken, SignInError,
    UserTokenInput,
};

use crate::installation::{
    ACCOUNT, Caller, DAY, HOUR, INSTANT, Installation, PASSWORD, bad_credential, grant,
};
use crate::sign_in::{is_throttled, is_wrong, secret};

const MINUTE: Duration = Duration::from_mins(1);

/// The time that a clock is watched before anything is deleted for its age.
const WATCHED: Duration = Duration::from_mins(65);

/// A year.
const YEAR: Duration = Duration::from_hours(365 * 24);

/// Revokes a token at a node.
async fn revoke(iam: &Iam, caller: &Caller, token: &Secret) {
    let about = (None, iam.new_query_id(), iam.now());
    let (id, secret) = (&caller.client.id, &caller.secret);
    iam.revoke(id, secret, token.reveal(), about).await.unwrap();
}

impl Installation {
    async fn token(&self, caller: &Caller) -> Secret {
        let grant = grant(&caller.client.id, &caller.secret, "all");
        let about = (None, self.iam.new_query_id(), self.now());
        self.iam.issue(&grant, about).await.unwrap().access_token
    }

    /// Revokes so many tokens that old revocations are deleted if there are any.
    async fn revoke_some(&self, caller: &Caller) {
        for _ in 0..3 {
            let token = self.token(caller).await;
            revoke(&self.iam, caller, &token).await;
        }
    }

    async fn is_session(&self, token: &SessionToken) -> bool {
        match self.iam.session(token, self.now()).await {
            Ok(_) => true,
            Err(IamError::BadCredential) => false,
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[tokio::test]
async fn a_jump_ahead_that_is_undone_revives_no_revoked_token() {
    let installation = Installation::new().await;
    installation.pass(WATCHED);
    let caller = installation.stranger().await;
    revoke(&installation.iam, &caller, &caller.token).await;
    installation.pass(MINUTE);
    installation.jump_ahead(YEAR);
    installation.revoke_some(&caller).await;
    // A server that is started while the clock is ahead does not know better.
    let restarted = installation.elsewhere().await;
    for _ in 0..3 {
        let token = installation.token(&caller).await;
        revoke(&restarted, &caller, &token).await;
    }
    installation.jump_back(YEAR);
    bad_credential(installation.context_of(&caller.token).await);
    let restarted = installation.elsewhere().await;
    bad_credential(restarted.authenticate(caller.token.reveal(), restarted.now()).await);
}

#[tokio::test]
async fn a_node_that_stays_ahead_deletes_no_revocation_that_it_has_not_known_for_long() {
    let installation = Installation::new().await;
    let caller = installation.stranger().await;
    // It has watched its clock for long, and that was wrong all the time.
    let (ahead, clock) = installation.elsewhere_ahead(YEAR).await;
    clock.pass(2 * WATCHED);
    installation.pass(2 * WATCHED);
    let token = installation.token(&caller).await;
    revoke(&installation.iam, &caller, &token).await;
    let asked = grant(&caller.client.id, &caller.secret, "all");
    for _ in 0..3 {
        let about = (None, ahead.new_query_id(), ahead.now());
        let other = ahead.issue(&asked, about).await.unwrap().access_token;
        revoke(&ahead, &caller, &other).await;
    }
    bad_credential(installation.context_of(&token).await);
    let restarted = installation.elsewhere().await;
    bad_credential(restarted.authenticate(token.reveal(), restarted.now()).await);
}

#[tokio::test]
async fn a_token_that_is_revoked_while_the_clock_is_ahead_stays_revoked() {
    let installation = Installation::new().await;
    let caller = installation.stranger().await;
    installation.jump_ahead(DAY);
    bad_credential(installation.context_of(&caller.token).await);
    revoke(&installation.iam, &caller, &caller.token).await;
    installation.jump_back(DAY);
    bad_credential(installation.context_of(&caller.token).await);
}

#[tokio::test]
async fn a_clock_that_is_put_back_revives_no_expired_token() {
    let installation = Installation::new().await;
    let caller = installation.stranger().await;
    let (iam, owner, jane) = (&installation.iam, installation.owner(), Login::new("jane"));
    installation.user("jane", &[]).await;
    let input = UserTokenInput {
        name: "laptop".to_owned(),
        description: String::new(),
        expiry: Expiry::At(installation.now().saturating_add(HOUR)),
    };
    let (_, personal) = iam.create_user_token(&owner, &jane, Ok(input)).await.unwrap();
    installation.context_of(&personal).await.unwrap();
    installation.pass(HOUR);
    for back in [HOUR, DAY, YEAR] {
        installation.jump_back(back);
        bad_credential(installation.context_of(&caller.token).await);
        bad_credential(installation.context_of(&personal).await);
        installation.pass_in_minutes(3 * HOUR);
    }
    bad_credential(installation.context_of(&caller.token).await);
    // New ones are as good as ever.
    let token = installation.token(&caller).await;
    installation.context_of(&token).await.unwrap();
}

#[tokio::test]
async fn what_a_clock_that_was_ahead_has_issued_does_not_outlive_it() {
    let installation = Installation::new().await;
    let caller = installation.stranger().await;
    installation.jump_ahead(YEAR);
    let token = installation.token(&caller).await;
    let session = installation.signed_in(ACCOUNT).await;
    installation.context_of(&token).await.unwrap();
    installation.context_in(&session).await;
    installation.jump_back(YEAR);
    bad_credential(installation.context_of(&token).await);
    assert!(!installation.is_session(&session).await);
    let token = installation.token(&caller).await;
    installation.context_of(&token).await.unwrap();
}

#[tokio::test]
async fn a_service_account_that_was_enabled_while_the_clock_was_ahead_gets_tokens_that_count() {
    let installation = Installation::new().await;
    let caller = installation.stranger().await;
    installation.jump_ahead(YEAR);
    let owner = installation.owner();
    installation.iam.disable_client(&owner, &caller.client.id).await.unwrap();
    installation.iam.enable_client(&owner, &caller.client.id).await.unwrap();
    installation.jump_back(YEAR);
    bad_credential(installation.context_of(&caller.token).await);
    let token = installation.token(&caller).await;
    installation.context_of(&token).await.unwrap();
    installation.pass(HOUR);
    bad_credential(installation.context_of(&token).await);
    // Each time that it is enabled ends the tokens of before, whatever the clock was at the last.
    let token = installation.token(&caller).await;
    let owner = installation.owner();
    installation.iam.disable_client(&owner, &caller.client.id).await.unwrap();
    installation.iam.enable_client(&owner, &caller.client.id).await.unwrap();
    bad_credential(installation.context_of(&token).await);
    let token = installation.token(&caller).await;
    installation.context_of(&token).await.unwrap();
}

#[tokio::test]
async fn revocations_are_deleted_in_the_end() {
    let installation = Installation::new().await;
    let caller = installation.stranger().await;
    installation.revoke_some(&caller).await;
    installation.pass(WATCHED);
    // They have been known for long, and are deleted once they are a day old.
    installation.revoke_some(&caller).await;
    let before = installation.changes().await;
    installation.pass(DAY + HOUR);
    installation.revoke_some(&caller).await;
    assert_eq!(installation.changes().await, before + 3 + 3);
    bad_credential(installation.context_of(&caller.token).await);
}

#[tokio::test]
async fn a_wait_after_wrong_passwords_is_as_long_however_the_clock_jumps() {
    let installation = Installation::new().await;
    installation.fail_from(ACCOUNT, "192.0.2.7").await;
    let attempt =
        async || installation.sign_in_from(installation.at("192.0.2.7"), ACCOUNT, "wrong").await;
    let seconds = async || match attempt().await {
        Err(SignInError::TooMany { seconds }) => seconds,
        other => panic!("{other:?}"),
    };
    let wait = seconds().await;
    for _ in 0..2 {
        installation.jump_ahead(YEAR);
        assert_eq!(seconds().await, wait);
        installation.jump_back(2 * YEAR);
        assert_eq!(seconds().await, wait);
        installation.jump_ahead(YEAR);
    }
    installation.pass(Duration::from_secs(wait));
    installation.jump_back(YEAR);
    let answer = attempt().await;
    assert!(is_wrong(&answer), "{answer:?}");
    assert!(is_throttled(&attempt().await));
}

#[tokio::test]
async fn a_jump_ahead_that_is_undone_ends_no_session() {
    let installation = Installation::new().await;
    let session = installation.signed_in(ACCOUNT).await;
    installation.context_in(&session).await;
    installation.pass(WATCHED);
    installation.jump_ahead(YEAR);
    assert!(!installation.is_session(&session).await, "it is over by the clock");
    // Sign-ins delete the sessions that are over.
    installation.signed_in(ACCOUNT).await;
    installation.jump_back(YEAR);
    assert!(installation.is_session(&session).await);
}

#[tokio::test]
async fn a_clock_that_is_put_back_prolongs_no_session() {
    let installation = Installation::new().await;
    let session = installation.signed_in(ACCOUNT).await;
    installation.jump_back(12 * HOUR);
    // Idle for two hours.
    installation.context_in(&session).await;
    installation.pass(2 * HOUR);
    assert!(!installation.is_session(&session).await);
    let session = installation.signed_in(ACCOUNT).await;
    installation.jump_back(12 * HOUR);
    let mut hours = 0;
    while installation.is_session(&session).await {
        installation.pass_in_minutes(HOUR);
        hours += 1;
        assert!(hours < 20, "never over");
    }
    assert!(hours <= 14, "{hours}: the time runs on, a tenth slower");
}

#[tokio::test]
async fn an_authentication_that_a_clock_ahead_has_dated_is_not_recent() {
    let installation = Installation::new().await;
    let session = installation.signed_in(ACCOUNT).await;
    installation.jump_ahead(HOUR);
    let (_, context) = installation.context_in(&session).await;
    let password = Reauthentication::Password(secret(PASSWORD));
    installation.iam.reauthenticate(&context, password).await.unwrap();
    installation.jump_back(HOUR);
    installation.pass(11 * MINUTE);
    let (_, context) = installation.context_in(&session).await;
    let policy = PolicyInput { name: "p".to_owned(), ..PolicyInput::default() };
    let answer = installation.iam.create_policy(&context, Ok(policy)).await;
    assert!(matches!(answer, Err(IamError::ReauthenticationRequired)), "{answer:?}");
}

#[tokio::test]
async fn an_idempotency_key_is_not_forgotten_by_a_jump_ahead() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let key = IdempotencyKey::new(&owner.principal.identity, "k", &[b"a"]);
    let conditions =
        RequestConditions { idempotency_key: Some(key), ..RequestConditions::default() };
    let conditions = Some(Arc::new(conditions));
    let keyed =
        || Context { now: installation.now(), conditions: conditions.clone(), ..owner.clone() };
    let policy = || PolicyInput { name: "p".to_owned(), ..PolicyInput::default() };
    let made = iam.create_policy(&keyed(), Ok(policy())).await.unwrap();
    installation.jump_ahead(YEAR);
    assert_eq!(iam.create_policy(&keyed(), Ok(policy())).await.unwrap(), made);
    installation.jump_back(2 * YEAR);
    assert_eq!(iam.create_policy(&keyed(), Ok(policy())).await.unwrap(), made);
}

#[tokio::test]
async fn lines_of_the_log_are_dated_by_the_right_clock_again_after_a_jump_ahead() {
    let installation = Installation::new().await;
    let caller = installation.stranger().await;
    let newest = async || {
        let all = LogFilter::default();
        let owner = installation.owner();
        let newest = installation.iam.log(&owner, LogKind::Token, &all, (Instant::MAX, 100)).await;
        newest.unwrap().lines.into_iter().map(|line| line.at).collect::<Vec<_>>()
    };
    installation.jump_ahead(YEAR);
    installation.token(&caller).await;
    let ahead = newest().await[0];
    installation.jump_back(YEAR);
    installation.pass(MINUTE);
    installation.token(&caller).await;
    let lines = newest().await;
    assert_eq!(lines[0], ahead);
    assert_eq!(lines[1], installation.now());
}

#[tokio::test]
async fn keys_neither_sign_nor_end_early_because_the_clock_jumps() {
    let installation = Installation::with(|settings| settings.key_days = Some(30)).await;
    let caller = installation.stranger().await;
    installation.pass(WATCHED);
    installation.iam.rotate_key(gatewright_iam::KeyRotation::Planned).await.unwrap();
    let token = installation.token(&caller).await;
    installation.jump_ahead(YEAR);
    let restarted = installation.elsewhere().await;
    assert_eq!(restarted.jwks()["keys"].as_array().unwrap().len(), 2, "none more, none less");
    installation.jump_back(YEAR);
    installation.pass(INSTANT);
    installation.context_of(&token).await.unwrap();
    let restarted = installation.elsewhere().await;
    restarted.authenticate(token.reveal(), restarted.now()).await.unwrap();
}
