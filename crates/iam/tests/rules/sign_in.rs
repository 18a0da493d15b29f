//! Sign-in: passwords, sessions, TOTP codes, rate limits.

use std::time::Duration;

use gatewright_iam::{
    Attempt, Context, IamError, Login, NewTotp, Origin, PasskeyId, Secret, SessionId, SessionToken,
    SignInError, SignedIn, UserInput,
};
use gatewright_testing::TestDatabase;

use crate::authenticator::Authenticator;
use crate::installation::{
    ACCOUNT, HOUR, Installation, OTHER, PASSWORD, bad_credential, fault, not_found,
};

impl Installation {
    /// Registers a passkey of the owner.
    async fn with_passkey(&self) -> Authenticator {
        let owner = self.owner();
        let mut authenticator = Authenticator::new("iam.test", "https://iam.test");
        let challenge = self.iam.begin_passkey(&owner).unwrap();
        let answer = (&*challenge.state, &*authenticator.register(&challenge.options));
        self.iam.add_passkey(&owner, secret(PASSWORD), "key", answer).await.unwrap();
        authenticator
    }
}

pub(crate) fn secret(text: &str) -> Secret {
    text.to_owned().into()
}

pub(crate) fn is_wrong(answer: &Result<SignedIn, SignInError>) -> bool {
    matches!(answer, Err(SignInError::Wrong))
}

pub(crate) fn is_throttled(answer: &Result<SignedIn, SignInError>) -> bool {
    matches!(answer, Err(SignInError::TooMany { .. }))
}

impl Installation {
    pub(crate) async fn sign_in(
        &self,
        login: &str,
        password: &str,
    ) -> Result<SignedIn, SignInError> {
        self.sign_in_from(self.origin(), login, password).await
    }

    pub(crate) async fn sign_in_from(
        &self,
        origin: Origin,
        login: &str,
        password: &str,
    ) -> Result<SignedIn, SignInError> {
        let (login, password) = (login.to_owned(), secret(password));
        self.iam.sign_in(Attempt { login, password, origin }).await
    }

    /// Returns the origin of a request from another address.
    pub(crate) fn at(&self, address: &str) -> Origin {
        Origin { ip: Some(address.parse().unwrap()), ..self.origin() }
    }

    /// Returns the origin of a request from a device that has signed in with a session.
    pub(crate) async fn with_device(&self, session: &SessionToken, address: &str) -> Origin {
        let device = self.iam.remember_device(session, &self.origin()).await.unwrap();
        Origin { device: Some(device), ..self.at(address) }
    }

    /// Fails at a login from an address until it is throttled; returns the number of tries.
    pub(crate) async fn fail_from(&self, login: &str, address: &str) -> usize {
        for tries in 0..100 {
            let answer = self.sign_in_from(self.at(address), login, "wrong").await;
            if is_throttled(&answer) {
                return tries;
            }
            assert!(is_wrong(&answer), "{answer:?}");
        }
        panic!("never throttled");
    }

    pub(crate) async fn signed_in(&self, login: &str) -> SessionToken {
        match self.sign_in(login, PASSWORD).await {
            Ok(SignedIn::Whole(token)) => token,
            other => panic!("{other:?}"),
        }
    }

    /// Creates the context of a request with a session.
    pub(crate) async fn context_in(&self, token: &SessionToken) -> (SessionId, Context) {
        let now = self.now();
        let session = self.iam.session(token, now).await.unwrap();
        let query_id = self.iam.new_query_id();
        (
            session.id,
            Context { principal: session.principal, ip: None, query_id, now, conditions: None },
        )
    }

    pub(crate) async fn jane(&self) {
        let login = "jane".to_owned();
        let input = UserInput { login, password: Some(secret(PASSWORD)), ..UserInput::default() };
        self.iam.create_user(&self.owner(), Ok(input)).await.unwrap();
    }

    /// Activates an authenticator for the owner; returns its secret and the backup codes.
    pub(crate) async fn authenticator(&self) -> (String, Vec<Secret>) {
        let owner = self.owner();
        let NewTotp { secret: typed, state, .. } = self.iam.new_totp(&owner).unwrap();
        let code = self.code(typed.reveal());
        let confirmed = self.iam.confirm_totp(&owner, secret(PASSWORD), (&state, &code)).await;
        (typed.reveal().to_owned(), confirmed.unwrap())
    }

    pub(crate) fn code(&self, typed: &str) -> String {
        let totp = totp_rs::Builder::new()
            .with_secret(totp_rs::Secret::try_from_base32(typed).unwrap())
            .with_account_name("x".to_owned())
            .build()
            .unwrap();
        totp.generate(u64::try_from(self.now().seconds()).unwrap()).to_string()
    }
}

#[tokio::test]
async fn whoever_is_wrong_hears_the_same_whether_the_login_exists_or_not() {
    let installation = Installation::new().await;
    for login in [ACCOUNT, OTHER, "aa11111-ovh/nobody", "nobody", ""] {
        let answer = installation.sign_in(login, "wrong").await;
        assert!(matches!(answer, Err(SignInError::Wrong)), "{login}: {answer:?}");
    }
}

#[tokio::test]
async fn whoever_is_wrong_too_often_waits() {
    let installation = Installation::new().await;
    let mut wait = None;
    for _ in 0..50 {
        match installation.sign_in(ACCOUNT, "wrong").await {
            Err(SignInError::Wrong) => {}
            Err(SignInError::TooMany { seconds }) => {
                wait = Some(seconds);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    let wait = wait.expect("a wait");
    let answer = installation.sign_in(ACCOUNT, PASSWORD).await;
    assert!(matches!(answer, Err(SignInError::TooMany { .. })), "not even with the password");
    installation.pass(Duration::from_secs(wait));
    installation.signed_in(ACCOUNT).await;
}

#[tokio::test]
async fn a_passkeys_challenge_counts_once_on_every_node() {
    let installation = Installation::new().await;
    let iam = &installation.iam;
    let mut authenticator = installation.with_passkey().await;
    let challenge = iam.begin_sign_in(installation.now()).unwrap();
    let answer = authenticator.authenticate(&challenge.options);
    let answer = (challenge.state.as_str(), answer.as_str());
    iam.sign_in_by_passkey(answer, &installation.origin()).await.unwrap();
    let other = installation.elsewhere().await;
    for node in [iam, &other] {
        let again = node.sign_in_by_passkey(answer, &installation.origin()).await;
        assert!(matches!(again, Err(SignInError::WrongPasskey)), "{again:?}");
    }
    installation.pass(Duration::from_mins(9));
    let again = other.sign_in_by_passkey(answer, &installation.origin()).await;
    assert!(matches!(again, Err(SignInError::WrongPasskey)), "{again:?}");
    // Another challenge is another matter, even one that was made before.
    let (first, second) =
        (iam.begin_sign_in(installation.now()).unwrap(), iam.begin_sign_in(installation.now()));
    for challenge in [second.unwrap(), first] {
        let answer = authenticator.authenticate(&challenge.options);
        let answer = (challenge.state.as_str(), answer.as_str());
        iam.sign_in_by_passkey(answer, &installation.origin()).await.unwrap();
    }
}

/// Sends one answer of a passkey to two nodes at once, several times.
async fn race_passkeys(installation: &Installation) {
    let iam = &installation.iam;
    let mut authenticator = installation.with_passkey().await;
    let other = installation.elsewhere().await;
    for _ in 0..10 {
        let challenge = iam.begin_sign_in(installation.now()).unwrap();
        let answer = authenticator.authenticate(&challenge.options);
        let answer = (challenge.state.as_str(), answer.as_str());
        let (here, there) = (installation.origin(), installation.origin());
        let (one, two) = tokio::join!(
            iam.sign_in_by_passkey(answer, &here),
            other.sign_in_by_passkey(answer, &there)
        );
        assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    }
}

#[tokio::test]
async fn a_passkeys_answer_that_two_nodes_get_at_once_counts_once() {
    race_passkeys(&Installation::new().await).await;
    if let Some(database) = TestDatabase::postgres_if_any().await {
        race_passkeys(&Installation::on(Some(&database.address), |_| {}).await).await;
    }
}

#[tokio::test]
async fn strangers_failures_do_not_keep_a_passkey_out() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let mut authenticator = installation.with_passkey().await;
    let id = iam.passkeys(&owner).await.unwrap()[0].id.clone();
    let kept = iam.remove_passkey(&owner, secret("wrong"), &id).await;
    assert!(matches!(kept, Err(SignInError::Wrong)), "{kept:?}");
    installation.fail_from(ACCOUNT, "192.0.2.1").await;
    let challenge = iam.begin_sign_in(installation.now()).unwrap();
    let answer = authenticator.authenticate(&challenge.options);
    iam.sign_in_by_passkey((&challenge.state, &answer), &installation.origin()).await.unwrap();
    iam.remove_passkey(&owner, secret(PASSWORD), &id).await.unwrap();
    assert!(iam.passkeys(&owner).await.unwrap().is_empty());
}

#[tokio::test]
async fn passwords_that_are_tried_first_are_refused() {
    let installation = Installation::new().await;
    let owner = installation.owner();
    let input = |login: &str, password: &str| {
        Ok(UserInput {
            login: login.to_owned(),
            password: Some(secret(password)),
            email: Some("j.smith@harbour.example".to_owned()),
            ..UserInput::default()
        })
    };
    for guessed in ["password", "12345678", "aa11111-ovh", "harbour1", "owner@example.com"] {
        fault(installation.iam.create_user(&owner, input("jane", guessed)).await);
    }
    fault(installation.iam.create_user(&owner, input("janedoe-ops", "janedoe-ops1")).await);
    // The password of the tests of OVHcloud's Terraform provider.
    installation.iam.create_user(&owner, input("jane", "qwe123!@#")).await.unwrap();
    let token = installation.sign_in("aa11111-ovh/jane", "qwe123!@#").await;
    let Ok(SignedIn::Whole(token)) = token else { panic!("{token:?}") };
    let (id, jane) = installation.context_in(&token).await;
    for guessed in ["password1", "jane1jane", "j.smith1"] {
        let new = (secret("qwe123!@#"), secret(guessed));
        let answer = installation.iam.change_password(&jane, new, &id).await;
        assert!(matches!(answer, Err(SignInError::Failed(_))), "{guessed}: {answer:?}");
    }
}

#[tokio::test]
async fn a_session_ends_when_it_is_idle_or_old() {
    let installation = Installation::new().await;
    let token = installation.signed_in(ACCOUNT).await;
    installation.context_in(&token).await;
    installation.pass(2 * HOUR);
    bad_credential(installation.iam.session(&token, installation.now()).await);
    let token = installation.signed_in(ACCOUNT).await;
    for _ in 0..11 {
        installation.context_in(&token).await;
        installation.pass(HOUR);
    }
    installation.context_in(&token).await;
    installation.pass(HOUR);
    bad_credential(installation.iam.session(&token, installation.now()).await);
}

#[tokio::test]
async fn somebody_ends_their_own_sessions_and_no_other() {
    let installation = Installation::new().await;
    installation.jane().await;
    let (iam, owners) = (&installation.iam, installation.signed_in(ACCOUNT).await);
    let (owners_id, _) = installation.context_in(&owners).await;
    let token = installation.signed_in("aa11111-ovh/jane").await;
    let (id, jane) = installation.context_in(&token).await;
    assert_eq!(iam.sessions(&jane).await.unwrap().len(), 1);
    not_found(iam.end_session(&jane, &owners_id).await);
    iam.end_session(&jane, &id).await.unwrap();
    bad_credential(iam.session(&token, installation.now()).await);
    installation.context_in(&owners).await;
}

#[tokio::test]
async fn a_user_who_is_disabled_is_signed_out_and_cannot_sign_in() {
    let installation = Installation::new().await;
    installation.jane().await;
    let token = installation.signed_in("aa11111-ovh/jane").await;
    installation.iam.disable_user(&installation.owner(), &Login::new("jane")).await.unwrap();
    bad_credential(installation.iam.session(&token, installation.now()).await);
    let answer = installation.sign_in("aa11111-ovh/jane", PASSWORD).await;
    assert!(matches!(answer, Err(SignInError::Disabled)), "{answer:?}");
    let answer = installation.sign_in("aa11111-ovh/jane", "wrong").await;
    assert!(matches!(answer, Err(SignInError::Wrong)), "only who knows the password hears it");
}

#[tokio::test]
async fn a_new_password_ends_all_other_sessions() {
    let installation = Installation::new().await;
    let (kept, other) = (installation.signed_in(ACCOUNT).await, installation.signed_in(ACCOUNT));
    let other = other.await;
    let (id, context) = installation.context_in(&kept).await;
    let change = async |old: &str, new: &str| {
        installation.iam.change_password(&context, (secret(old), secret(new)), &id).await
    };
    let short = change(PASSWORD, "short").await;
    assert!(matches!(short, Err(SignInError::Failed(_))), "{short:?}");
    assert!(matches!(change("wrong", "another horse").await, Err(SignInError::Wrong)));
    change(PASSWORD, "another horse").await.unwrap();
    installation.context_in(&kept).await;
    bad_credential(installation.iam.session(&other, installation.now()).await);
    assert!(matches!(installation.sign_in(ACCOUNT, PASSWORD).await, Err(SignInError::Wrong)));
}

#[tokio::test]
async fn an_authenticator_is_in_force_once_it_has_shown_a_code() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let new = iam.new_totp(&owner).unwrap();
    let wrong = iam.confirm_totp(&owner, secret(PASSWORD), (&new.state, "000000")).await;
    assert!(matches!(wrong, Err(SignInError::WrongCode)), "{wrong:?}");
    assert!(!iam.totp_status(&owner).await.unwrap().has_totp);
    installation.signed_in(ACCOUNT).await;
    let (_, codes) = installation.authenticator().await;
    assert_eq!(codes.len(), 10);
    let factors = iam.totp_status(&owner).await.unwrap();
    assert!(factors.has_totp && factors.backup_codes_left == 10);
    iam.remove_totp(&owner, secret(PASSWORD)).await.unwrap();
    installation.signed_in(ACCOUNT).await;
}

#[tokio::test]
async fn a_secret_that_was_scanned_stays_until_it_is_confirmed_or_outdated() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let new = iam.new_totp(&owner).unwrap();
    let kept = iam.unconfirmed_totp(&owner, &new.state).await.unwrap().unwrap();
    assert_eq!(kept.secret.reveal(), new.secret.reveal());
    assert_eq!((kept.url.reveal(), &kept.state), (new.url.reveal(), &new.state));
    installation.jane().await;
    let (_, jane) =
        installation.context_in(&installation.signed_in("aa11111-ovh/jane").await).await;
    assert!(iam.unconfirmed_totp(&jane, &new.state).await.unwrap().is_none());
    assert!(iam.unconfirmed_totp(&owner, "made up").await.unwrap().is_none());
    let later = Context { now: owner.now.saturating_add(Duration::from_mins(11)), ..owner.clone() };
    assert!(iam.unconfirmed_totp(&later, &new.state).await.unwrap().is_none());
    // The page shows a new secret then, whatever else is wrong.
    let outdated = iam.confirm_totp(&later, secret("wrong"), (&new.state, "000000")).await;
    assert!(outdated.unwrap_err().to_string().contains("take the new secret"));
    let code = installation.code(new.secret.reveal());
    iam.confirm_totp(&owner, secret(PASSWORD), (&new.state, &code)).await.unwrap();
    assert!(iam.unconfirmed_totp(&owner, &new.state).await.unwrap().is_none());
}

#[tokio::test]
async fn a_code_follows_the_password_and_is_good_for_once() {
    let installation = Installation::new().await;
    let iam = &installation.iam;
    let (typed, codes) = installation.authenticator().await;
    let pending = async || match installation.sign_in(ACCOUNT, PASSWORD).await {
        Ok(SignedIn::NeedsCode(token)) => token,
        other => panic!("{other:?}"),
    };
    let confirm = async |token: &SessionToken, code: &str| {
        iam.confirm_sign_in(token, code, &installation.origin()).await
    };
    let token = pending().await;
    bad_credential(iam.session(&token, installation.now()).await);
    // The code that activated the authenticator is used up.
    let used = confirm(&token, &installation.code(&typed)).await;
    assert!(matches!(used, Err(SignInError::WrongCode)), "{used:?}");
    installation.pass(Duration::from_mins(1));
    let whole = confirm(&token, &installation.code(&typed)).await.unwrap();
    installation.context_in(&whole).await;
    let again = confirm(&pending().await, &installation.code(&typed)).await;
    assert!(matches!(again, Err(SignInError::WrongCode)), "{again:?}");
    let backup = codes[0].reveal().to_uppercase();
    confirm(&pending().await, &backup).await.unwrap();
    let again = confirm(&pending().await, &backup).await;
    assert!(matches!(again, Err(SignInError::WrongCode)), "{again:?}");
    // A pending session expires.
    let token = pending().await;
    installation.pass(Duration::from_mins(10));
    let late = confirm(&token, &installation.code(&typed)).await;
    assert!(matches!(late, Err(SignInError::Failed(_))), "{late:?}");
}

#[tokio::test]
async fn second_factors_that_are_lost_are_taken_away() {
    let installation = Installation::new().await;
    installation.jane().await;
    let (iam, token) = (&installation.iam, installation.signed_in("aa11111-ovh/jane").await);
    let (_, jane) = installation.context_in(&token).await;
    let new = iam.new_totp(&jane).unwrap();
    let code = installation.code(new.secret.reveal());
    iam.confirm_totp(&jane, secret(PASSWORD), (&new.state, &code)).await.unwrap();
    let answer = installation.sign_in("aa11111-ovh/jane", PASSWORD).await;
    assert!(matches!(answer, Ok(SignedIn::NeedsCode(_))), "{answer:?}");
    iam.reset_second_factors(&installation.owner(), &Login::new("jane")).await.unwrap();
    installation.signed_in("aa11111-ovh/jane").await;
    not_found(iam.reset_second_factors(&installation.owner(), &Login::new("nobody")).await);
}

#[tokio::test]
async fn a_password_has_a_least_length() {
    let installation = Installation::new().await;
    let login = "jane".to_owned();
    let input = UserInput { login, password: Some(secret("short")), ..UserInput::default() };
    fault(installation.iam.create_user(&installation.owner(), Ok(input)).await);
}

#[tokio::test]
async fn passkeys_need_a_host_name() {
    let installation = Installation::new().await;
    assert!(installation.iam.has_passkeys());
    installation.iam.begin_passkey(&installation.owner()).unwrap();
    assert!(installation.iam.passkeys(&installation.owner()).await.unwrap().is_empty());
    let owner = installation.owner();
    let unknown = PasskeyId::new("x");
    let gone = installation.iam.remove_passkey(&owner, secret(PASSWORD), &unknown).await;
    assert!(matches!(gone, Err(SignInError::Failed(IamError::NotFound))), "{gone:?}");
    let by_number =
        Installation::with(|settings| settings.public_url = "https://192.0.2.1".to_owned()).await;
    assert!(!by_number.iam.has_passkeys());
    fault(by_number.iam.begin_passkey(&by_number.owner()));
}
