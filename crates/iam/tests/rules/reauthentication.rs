//! Sensitive actions ask for re-authentication.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::time::Duration;

use gatewright_iam::{
    Attachment, ClientId, Context, Expiry, GroupName, Iam, IamError, Login, Reauthentication,
    SessionId, SessionToken, SignInError, SignedIn, UserTokenEdit,
};

use crate::installation::{ACCOUNT, HOUR, Installation, PASSWORD, not_found, unread};
use crate::sign_in::secret;
use crate::source::{REAUTHENTICATES, functions_that_call};

const TEN_MINUTES: Duration = Duration::from_mins(10);

type Answer<'a> = Pin<Box<dyn Future<Output = Result<(), IamError>> + 'a>>;
type Action = (&'static str, for<'a> fn(&'a Iam, &'a Context) -> Answer<'a>);

macro_rules! actions {
    ($($name:ident($($argument:expr),*);)*) => {
        &[$((stringify!($name), |iam, context| {
            Box::pin(async move { iam.$name(context, $($argument),*).await.map(drop) })
        })),*]
    };
}

/// The sensitive actions. Their inputs are invalid or name nothing.
const SENSITIVE: &[Action] = actions! {
    set_second_factor(unread());
    create_client(unread());
    create_user_token(&Login::new("x"), unread());
    edit_user_token(&Login::new("x"), "y", Ok(UserTokenEdit {
        description: None,
        expiry: Some(Expiry::Never),
    }));
    create_user(unread());
    edit_user(&Login::new("x"), unread());
    reset_second_factors(&Login::new("x"));
    create_group(unread());
    edit_group(&GroupName::new("x"), unread());
    create_policy(unread());
    edit_policy(unread(), unread());
    set_policy_identity(unread(), "x", Attachment::Attached);
    create_permissions_group(unread());
    edit_permissions_group("x", unread());
    edit_resource_group(unread(), unread());
    end_session(&SessionId::new("x"));
    enable_user(&Login::new("x"));
    enable_client(&ClientId::new("x"));
    delete_policy(unread());
    delete_permissions_group("x");
    create_resource_group(unread());
    delete_resource_group(unread());
    declare_api("x", unread());
};

/// Actions that are none: they read, or take something away that somebody may have to take away fast.
const LIGHT: &[Action] = actions! {
    users();
    edit_me(unread());
    disable_user(&Login::new("x"));
    delete_user(&Login::new("x"));
    delete_user_token(&Login::new("x"), "y");
    edit_user_token(&Login::new("x"), "y", Ok(UserTokenEdit { description: None, expiry: None }));
};

#[test]
fn each_use_case_that_asks_for_reauthentication_is_in_the_table() {
    let table: BTreeSet<String> = SENSITIVE.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(functions_that_call(REAUTHENTICATES), table);
}

fn asks(answer: &Result<(), IamError>) -> bool {
    matches!(answer, Err(IamError::ReauthenticationRequired))
}

impl Installation {
    async fn reauthenticate(
        &self,
        token: &SessionToken,
        reauthentication: Reauthentication,
    ) -> Result<(), SignInError> {
        let (_, context) = self.context_in(token).await;
        self.iam.reauthenticate(&context, reauthentication).await.map(drop)
    }

    /// Counts the actions that ask for re-authentication in a session.
    async fn count_refused(&self, token: &SessionToken, actions: &[Action]) -> usize {
        let (_, context) = self.context_in(token).await;
        let mut refused = 0;
        for (_, call) in actions {
            refused += usize::from(asks(&call(&self.iam, &context).await));
        }
        refused
    }
}

#[tokio::test]
async fn sensitive_actions_ask_for_an_authentication_of_the_last_ten_minutes() {
    let installation = Installation::new().await;
    let token = installation.signed_in(ACCOUNT).await;
    assert_eq!(installation.count_refused(&token, SENSITIVE).await, 0, "signing in counts");
    installation.pass(TEN_MINUTES);
    assert_eq!(installation.count_refused(&token, SENSITIVE).await, SENSITIVE.len());
    assert_eq!(installation.count_refused(&token, LIGHT).await, 0);
    let password = |text: &str| Reauthentication::Password(secret(text));
    let wrong = installation.reauthenticate(&token, password("wrong")).await;
    assert!(matches!(wrong, Err(SignInError::Wrong)), "{wrong:?}");
    assert_eq!(installation.count_refused(&token, SENSITIVE).await, SENSITIVE.len());
    installation.reauthenticate(&token, password(PASSWORD)).await.unwrap();
    assert_eq!(installation.count_refused(&token, SENSITIVE).await, 0);
    // It counts in this session on every node.
    let other = installation.elsewhere().await;
    let session = other.session(&token, installation.now()).await.unwrap();
    let context = Context { principal: session.principal, ..installation.owner() };
    let answer = other.create_client(&context, unread()).await.map(drop);
    assert!(!asks(&answer), "{answer:?}");
    installation.pass(TEN_MINUTES);
    assert_eq!(installation.count_refused(&token, SENSITIVE).await, SENSITIVE.len());
}

#[tokio::test]
async fn a_session_ends_itself_without_reauthentication() {
    let installation = Installation::new().await;
    let (token, other) =
        (installation.signed_in(ACCOUNT).await, installation.signed_in(ACCOUNT).await);
    let (id, _) = installation.context_in(&token).await;
    let (other, _) = installation.context_in(&other).await;
    installation.pass(TEN_MINUTES);
    let (_, owner) = installation.context_in(&token).await;
    let answer = installation.iam.end_session(&owner, &other).await;
    assert!(asks(&answer), "{answer:?}");
    installation.iam.end_session(&owner, &id).await.unwrap();
}

#[tokio::test]
async fn a_code_reauthenticates_as_well_and_counts_once() {
    let installation = Installation::new().await;
    let (typed, backup) = installation.authenticator().await;
    installation.pass(Duration::from_mins(1));
    let answer = installation.sign_in(ACCOUNT, PASSWORD).await;
    let Ok(SignedIn::NeedsCode(pending)) = answer else { panic!("{answer:?}") };
    let (code, origin) = (installation.code(&typed), installation.origin());
    let token = installation.iam.confirm_sign_in(&pending, &code, &origin).await.unwrap();
    let by_code = |code: &str| Reauthentication::Code(secret(code));
    let used = installation.reauthenticate(&token, by_code(&code)).await;
    assert!(matches!(used, Err(SignInError::WrongCode)), "{used:?}");
    installation.pass(TEN_MINUTES);
    let code = installation.code(&typed);
    installation.reauthenticate(&token, by_code(&code)).await.unwrap();
    assert_eq!(installation.count_refused(&token, SENSITIVE).await, 0);
    installation.pass(TEN_MINUTES);
    installation.reauthenticate(&token, by_code(backup[0].reveal())).await.unwrap();
    let used = installation.reauthenticate(&token, by_code(backup[0].reveal())).await;
    assert!(matches!(used, Err(SignInError::WrongCode)), "{used:?}");
}

#[tokio::test]
async fn whoever_guesses_a_password_to_reauthenticate_waits() {
    let installation = Installation::new().await;
    let token = installation.signed_in(ACCOUNT).await;
    for _ in 0..50 {
        let wrong = Reauthentication::Password(secret("wrong"));
        match installation.reauthenticate(&token, wrong).await {
            Err(SignInError::Wrong) => {}
            Err(SignInError::TooMany { .. }) => return,
            other => panic!("{other:?}"),
        }
    }
    panic!("never throttled");
}

#[tokio::test]
async fn tokens_are_not_asked_to_reauthenticate() {
    let installation = Installation::new().await;
    let caller = installation.stranger().await;
    installation.allow(&caller.urn(), &["*"], &["urn:v1:eu:resource:*"]).await;
    installation.pass(HOUR / 2);
    let context = installation.context_of(&caller.token).await.unwrap();
    for (name, call) in SENSITIVE.iter().filter(|(name, _)| *name != "end_session") {
        let answer = call(&installation.iam, &context).await;
        assert!(!asks(&answer), "{name}");
    }
    not_found(installation.iam.end_session(&context, &SessionId::new("x")).await);
}

#[tokio::test]
async fn a_form_that_is_kept_opens_for_its_sender_and_target_alone_and_not_for_ever() {
    let installation = Installation::new().await;
    installation.jane().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let token = installation.signed_in("aa11111-ovh/jane").await;
    let (_, jane) = installation.context_in(&token).await;
    let form = secret("name=a&password=p4s");
    let sealed = iam.seal_form(&owner, "/users/create", &form).unwrap();
    assert!(!sealed.contains("p4s"));
    let opened = iam.open_form(&owner, "/users/create", &sealed).unwrap();
    assert_eq!(opened.reveal(), form.reveal());
    assert!(iam.open_form(&jane, "/users/create", &sealed).is_none());
    assert!(iam.open_form(&owner, "/groups/create", &sealed).is_none());
    assert!(iam.open_form(&owner, "/users/create", &sealed[1..]).is_none());
    assert!(iam.open_form(&owner, "/users/create", "").is_none());
    installation.pass(Duration::from_secs(12 * 60 * 60 - 1));
    assert!(iam.open_form(&installation.owner(), "/users/create", &sealed).is_some());
    installation.pass(Duration::from_secs(1));
    assert!(iam.open_form(&installation.owner(), "/users/create", &sealed).is_none());
}
