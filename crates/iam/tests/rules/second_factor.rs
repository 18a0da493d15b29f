//! The demand for a second factor.

use std::time::Duration;

use gatewright_iam::{
    Context, GroupName, IamError, LogFilter, Login, PasskeyId, Revision, SecondFactor,
    SessionAccess, SessionToken, SignInError, SignedIn, UserEdit, UserTokenInput, rights,
};

use crate::authenticator::Authenticator;
use crate::installation::{
    ACCOUNT, Installation, PASSWORD, account_urn, bad_credential, fault, unread,
};
use crate::sign_in::secret;

const JANE: &str = "aa11111-ovh/jane";

impl Installation {
    /// Demands a second factor of the account's people, as its owner, who has one.
    async fn demand_second_factor(&self) {
        self.authenticator().await;
        self.set(SecondFactor::Required).await.unwrap();
    }

    async fn set(&self, second_factor: SecondFactor) -> Result<(), IamError> {
        self.iam.set_second_factor(&self.owner(), Ok(second_factor)).await
    }

    async fn access(&self, token: &SessionToken) -> SessionAccess {
        self.iam.session(token, self.now()).await.unwrap().access
    }

    /// Activates an authenticator for a person; returns its secret and the answer that activated it.
    async fn enrol(&self, person: &Context) -> (String, String, String) {
        let new = self.iam.new_totp(person).unwrap();
        let code = self.code(new.secret.reveal());
        let answer = (new.state.as_str(), code.as_str());
        self.iam.confirm_totp(person, secret(PASSWORD), answer).await.unwrap();
        (new.secret.reveal().to_owned(), new.state.clone(), code)
    }

    async fn add_passkey(&self, person: &Context) -> Authenticator {
        let mut authenticator = Authenticator::new("iam.test", "https://iam.test");
        let challenge = self.iam.begin_passkey(person).unwrap();
        let made = authenticator.register(&challenge.options);
        let answer = (challenge.state.as_str(), made.as_str());
        self.iam.add_passkey(person, secret(PASSWORD), "key", answer).await.unwrap();
        authenticator
    }
}

#[track_caller]
fn is_out_of_scope<T: std::fmt::Debug>(result: Result<T, IamError>) {
    let error = result.unwrap_err();
    let is_so = matches!(&error, IamError::Forbidden { by_scope, .. } if !by_scope.is_empty());
    assert!(is_so, "{error:?}");
}

#[tokio::test]
async fn where_a_second_factor_is_demanded_who_has_none_can_only_set_one_up() {
    let installation = Installation::new().await;
    installation.jane().await;
    let (iam, login) = (&installation.iam, Login::new("jane"));
    let edit = UserEdit { groups: Some(vec![GroupName::new("ADMIN")]), ..UserEdit::default() };
    iam.edit_user(&installation.owner(), &login, Ok(edit)).await.unwrap();
    let before = installation.signed_in(JANE).await;
    assert_eq!(installation.access(&before).await, SessionAccess::Full);
    installation.demand_second_factor().await;
    // The session of before is held to it as one of now is.
    let now = installation.signed_in(JANE).await;
    for token in [&before, &now] {
        assert_eq!(installation.access(token).await, SessionAccess::Enrolment);
        let (_, jane) = installation.context_in(token).await;
        is_out_of_scope(iam.users(&jane).await);
        is_out_of_scope(iam.create_user_token(&jane, &login, unread()).await);
        is_out_of_scope(iam.set_second_factor(&jane, Ok(SecondFactor::Optional)).await);
    }
    let (_, jane) = installation.context_in(&now).await;
    let (typed, ..) = installation.enrol(&jane).await;
    assert_eq!(installation.access(&now).await, SessionAccess::Full);
    let (_, jane) = installation.context_in(&now).await;
    iam.users(&jane).await.unwrap();
    // Whoever knew the password alone, and waited, gets nothing by it.
    bad_credential(iam.session(&before, installation.now()).await);
    let answer = installation.sign_in(JANE, PASSWORD).await;
    let Ok(SignedIn::NeedsCode(pending)) = answer else { panic!("{answer:?}") };
    installation.pass(Duration::from_mins(1));
    let (code, origin) = (installation.code(&typed), installation.origin());
    let whole = iam.confirm_sign_in(&pending, &code, &origin).await.unwrap();
    assert_eq!(installation.access(&whole).await, SessionAccess::Full);
}

#[tokio::test]
async fn a_known_device_is_held_to_the_demand_all_the_same() {
    let installation = Installation::new().await;
    installation.jane().await;
    let known = installation.signed_in(JANE).await;
    let origin = installation.with_device(&known, "192.0.2.7").await;
    installation.demand_second_factor().await;
    let answer = installation.sign_in_from(origin, JANE, PASSWORD).await;
    let Ok(SignedIn::Whole(token)) = answer else { panic!("{answer:?}") };
    assert_eq!(installation.access(&token).await, SessionAccess::Enrolment);
}

#[tokio::test]
async fn where_a_second_factor_is_demanded_a_passkey_is_not_passed_by_with_the_password() {
    let installation = Installation::new().await;
    installation.jane().await;
    let iam = &installation.iam;
    let by_password = installation.signed_in(JANE).await;
    let (_, jane) = installation.context_in(&by_password).await;
    let mut authenticator = installation.add_passkey(&jane).await;
    let other = installation.signed_in(JANE).await;
    installation.demand_second_factor().await;
    let answer = installation.sign_in(JANE, PASSWORD).await;
    assert!(matches!(answer, Err(SignInError::NeedsPasskey)), "{answer:?}");
    let answer = installation.sign_in(JANE, "wrong").await;
    assert!(matches!(answer, Err(SignInError::Wrong)), "only who knows the password hears it");
    // The session in which it was set up goes on, one that was opened without it is over.
    assert_eq!(installation.access(&by_password).await, SessionAccess::Full);
    bad_credential(iam.session(&other, installation.now()).await);
    let (_, jane) = installation.context_in(&by_password).await;
    assert_eq!(iam.sessions(&jane).await.unwrap().len(), 1);
    let challenge = iam.begin_sign_in(installation.now()).unwrap();
    let answer = authenticator.authenticate(&challenge.options);
    let answer = (challenge.state.as_str(), answer.as_str());
    let token = iam.sign_in_by_passkey(answer, &installation.origin()).await.unwrap();
    assert_eq!(installation.access(&token).await, SessionAccess::Full);
}

#[tokio::test]
async fn the_last_second_factor_stays_while_one_is_demanded() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    installation.demand_second_factor().await;
    let is_kept = |answer: Result<(), SignInError>| {
        assert!(matches!(answer, Err(SignInError::Failed(IamError::Invalid { .. }))), "{answer:?}");
    };
    is_kept(iam.remove_totp(&owner, secret(PASSWORD)).await);
    installation.add_passkey(&owner).await;
    let id: PasskeyId = iam.passkeys(&owner).await.unwrap()[0].id.clone();
    iam.remove_totp(&owner, secret(PASSWORD)).await.unwrap();
    is_kept(iam.remove_passkey(&owner, secret(PASSWORD), &id).await);
    installation.set(SecondFactor::Optional).await.unwrap();
    iam.remove_passkey(&owner, secret(PASSWORD), &id).await.unwrap();
}

#[tokio::test]
async fn nobody_resets_their_own_second_factor_while_one_is_demanded() {
    let installation = Installation::new().await;
    installation.jane().await;
    let (iam, login) = (&installation.iam, Login::new("jane"));
    let edit = UserEdit { groups: Some(vec![GroupName::new("ADMIN")]), ..UserEdit::default() };
    iam.edit_user(&installation.owner(), &login, Ok(edit)).await.unwrap();
    let token = installation.signed_in(JANE).await;
    let (_, jane) = installation.context_in(&token).await;
    installation.enrol(&jane).await;
    installation.demand_second_factor().await;
    let (_, jane) = installation.context_in(&token).await;
    fault(iam.reset_second_factors(&jane, &login).await);
    // Somebody else may; then jane sets up another one, in the session that she has.
    iam.reset_second_factors(&installation.owner(), &login).await.unwrap();
    assert_eq!(installation.access(&token).await, SessionAccess::Enrolment);
}

#[tokio::test]
async fn who_demands_a_second_factor_has_one_and_has_signed_in_with_it() {
    let installation = Installation::new().await;
    installation.jane().await;
    let iam = &installation.iam;
    fault(installation.set(SecondFactor::Required).await);
    let (typed, _) = installation.authenticator().await;
    let demand =
        async |context: &Context| iam.set_second_factor(context, Ok(SecondFactor::Required)).await;
    let token = installation.signed_in(JANE).await;
    let (_, jane) = installation.context_in(&token).await;
    let refused = demand(&jane).await;
    assert!(matches!(refused, Err(IamError::Forbidden { .. })), "{refused:?}");
    let urn = jane.principal.identity.urn().to_owned();
    installation.allow(&urn, &[rights::SECOND_FACTOR_EDIT], &[&account_urn()]).await;
    fault(demand(&jane).await);
    let answer = installation.sign_in(ACCOUNT, PASSWORD).await;
    let Ok(SignedIn::NeedsCode(pending)) = answer else { panic!("{answer:?}") };
    installation.pass(Duration::from_mins(1));
    let (code, origin) = (installation.code(&typed), installation.origin());
    let owners = iam.confirm_sign_in(&pending, &code, &origin).await.unwrap();
    let (_, owner) = installation.context_in(&owners).await;
    demand(&owner).await.unwrap();
    assert_eq!(installation.access(&owners).await, SessionAccess::Full);
}

#[tokio::test]
async fn an_answer_that_enrols_counts_once() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let (_, state, code) = installation.enrol(&owner).await;
    let answer = (state.as_str(), code.as_str());
    let again = iam.confirm_totp(&owner, secret(PASSWORD), answer).await;
    assert!(matches!(again, Err(SignInError::WrongCode)), "{again:?}");
}

#[tokio::test]
async fn programs_are_not_held_to_the_demand() {
    let installation = Installation::new().await;
    installation.jane().await;
    let iam = &installation.iam;
    let caller = installation.stranger().await;
    let token = UserTokenInput {
        name: "laptop".to_owned(),
        description: String::new(),
        expiry: gatewright_iam::Expiry::Never,
    };
    let made = iam.create_user_token(&installation.owner(), &Login::new("jane"), Ok(token)).await;
    let (_, token) = made.unwrap();
    let jane = installation.context_of(&token).await.unwrap();
    for urn in [caller.urn(), jane.principal.identity.urn().to_owned()] {
        installation.allow(&urn, &[rights::USER_GET], &[&account_urn()]).await;
    }
    installation.demand_second_factor().await;
    for token in [&caller.token, &token] {
        let context = installation.context_of(token).await.unwrap();
        iam.users(&context).await.unwrap();
    }
    // A service account is no person: it may demand a second factor without having one.
    let right = rights::SECOND_FACTOR_EDIT;
    installation.allow(&caller.urn(), &[right], &[&account_urn()]).await;
    for second_factor in [SecondFactor::Optional, SecondFactor::Required] {
        iam.set_second_factor(&caller.context, Ok(second_factor)).await.unwrap();
    }
}

#[tokio::test]
async fn the_demand_is_in_the_audit_log_on_every_node_and_outlasts_other_changes() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    assert_eq!(iam.me(&owner).await.unwrap().second_factor, SecondFactor::Optional);
    installation.jane().await;
    let token = installation.signed_in(JANE).await;
    installation.demand_second_factor().await;
    let edit = serde_json::from_value(serde_json::json!({"city": "Roubaix"})).unwrap();
    iam.edit_me(&owner, Ok(edit)).await.unwrap();
    assert_eq!(iam.me(&owner).await.unwrap().second_factor, SecondFactor::Required);
    let other = installation.elsewhere().await;
    let session = other.session(&token, installation.now()).await.unwrap();
    assert_eq!(session.access, SessionAccess::Enrolment);
    let filter = LogFilter { what: "account modified".to_owned(), ..LogFilter::default() };
    let events = iam.audit(&owner, &filter, (Revision::MAX, 10)).await.unwrap().events;
    let demands = events.iter().filter(|event| {
        let (before, after) = event.field("secondFactor");
        before.is_none() && after.is_some_and(|after| after == "REQUIRED")
    });
    assert_eq!(demands.count(), 1, "{events:?}");
}
