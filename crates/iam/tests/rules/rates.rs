//! The limits of the rates of requests.

use std::net::IpAddr;
use std::time::Duration;

use gatewright_iam::{
    ClientEdit, Context, IamError, Instant, LogFilter, LogKind, Rates, RequestClass, Secret,
    Settings, TokenError, rights,
};

use crate::installation::{Caller, Installation, account_urn, bad_credential, grant};

const SECOND: Duration = Duration::from_secs(1);

fn slow(settings: &mut Settings) {
    settings.rates = Rates {
        tokens: 1,
        decisions: 1,
        reads: 1,
        writes: 1,
        anonymous: 1,
        failures: 1,
        journal: 1,
    };
}

fn address(last: u8) -> IpAddr {
    IpAddr::from([198, 51, 100, last])
}

/// Counts the calls that succeed until one is refused for its rate.
fn admitted(mut call: impl FnMut() -> Result<(), IamError>) -> usize {
    for count in 0..1_000 {
        match call() {
            Ok(()) => {}
            Err(IamError::RateLimited(limit)) => {
                assert!(limit.remaining == 0 && limit.seconds > 0, "{limit:?}");
                return count;
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    panic!("never refused");
}

impl Installation {
    /// Requests a token; returns whether it was refused for the rate of requests.
    async fn is_limited(&self, caller: &Caller, secret: &Secret, from: IpAddr) -> bool {
        let grant = grant(&caller.client.id, secret, "all");
        let issued =
            self.iam.issue(&grant, (Some(from), self.iam.new_query_id(), self.now())).await;
        match issued {
            Ok(_) | Err(TokenError::InvalidClient) => false,
            Err(TokenError::Failed(IamError::RateLimited(_))) => true,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn the_right_secret_always_gets_its_token_however_many_wrong_ones_there_were() {
    let installation = Installation::with(|settings| settings.rates.failures = 1).await;
    let (caller, other) = (installation.stranger().await, installation.stranger().await);
    let wrong = Secret::from("wrong".to_owned());
    let mut limited = 0;
    for _ in 0..50 {
        limited += usize::from(installation.is_limited(&caller, &wrong, address(7)).await);
        assert!(!installation.is_limited(&caller, &caller.secret, address(7)).await);
    }
    assert_eq!(limited, 40, "ten seconds' worth at once");
    // The network is limited for other clients too, but no other network.
    assert!(installation.is_limited(&other, &wrong, address(7)).await);
    assert!(!installation.is_limited(&other, &wrong, address(8)).await);
    installation.pass(SECOND);
    assert!(!installation.is_limited(&caller, &wrong, address(7)).await);
    assert!(installation.is_limited(&caller, &wrong, address(7)).await);
}

#[tokio::test]
async fn wrong_secrets_beyond_the_limit_are_not_counted() {
    let installation = Installation::with(|settings| settings.rates.failures = 1).await;
    let caller = installation.stranger().await;
    let wrong = Secret::from("wrong".to_owned());
    for _ in 0..100 {
        installation.is_limited(&caller, &wrong, address(7)).await;
    }
    installation.pass(60 * SECOND);
    let (owner, all) = (installation.owner(), LogFilter::default());
    let read = installation.iam.log(&owner, LogKind::Token, &all, (Instant::MAX, 200)).await;
    let lines = read.unwrap().lines;
    let wrong = lines.iter().filter(|line| !line.allowed).map(|line| line.count.unwrap_or(1));
    assert_eq!(wrong.sum::<u64>(), 10, "{lines:?}");
}

#[tokio::test]
async fn forged_tokens_count_and_expired_ones_do_not() {
    let installation = Installation::with(slow).await;
    let caller = installation.stranger().await;
    let count =
        async |token: &str| installation.iam.count_refused_token(token, Some(address(7))).await;
    installation.pass(Duration::from_hours(2));
    bad_credential(installation.context_of(&caller.token).await);
    for _ in 0..100 {
        count(caller.token.reveal()).await.unwrap();
    }
    let mut counted = 0;
    while count("forged").await.is_ok() {
        counted += 1;
    }
    assert_eq!(counted, 10);
}

#[tokio::test]
async fn each_class_has_its_own_limit_and_what_ends_something_has_none() {
    let installation = Installation::with(slow).await;
    let (one, other) = (installation.stranger().await, installation.stranger().await);
    let call = |context: &Context, class| {
        installation.iam.admit_request(class, &context.principal).map(drop)
    };
    for class in [RequestClass::Reads, RequestClass::Writes, RequestClass::Decisions] {
        assert_eq!(admitted(|| call(&one.context, class)), 10, "{class:?}");
        call(&other.context, class).unwrap();
        call(&one.context, RequestClass::Revocations).unwrap();
    }
    installation.pass(3 * SECOND);
    assert_eq!(admitted(|| call(&one.context, RequestClass::Writes)), 3);
    assert_eq!(admitted(|| installation.iam.admit_anonymous(Some(address(7)))), 10);
    installation.iam.admit_anonymous(Some(address(8))).unwrap();
}

#[tokio::test]
async fn an_account_may_do_what_ten_of_its_credentials_may() {
    let installation = Installation::with(slow).await;
    let mut total = 0;
    for _ in 0..15 {
        let caller = installation.stranger().await;
        let principal = &caller.context.principal;
        let call = || installation.iam.admit_request(RequestClass::Writes, principal).map(drop);
        total += admitted(call);
    }
    assert_eq!(total, 100);
}

#[tokio::test]
async fn a_caller_is_told_what_is_left() {
    let installation = Installation::with(slow).await;
    let caller = installation.stranger().await;
    let principal = &caller.context.principal;
    let admit =
        || installation.iam.admit_request(RequestClass::Writes, principal).unwrap().unwrap();
    let (first, second) = (admit(), admit());
    assert_eq!((first.name, first.quota, first.window), ("writes-per-credential", 10, 10));
    assert_eq!((first.remaining, second.remaining, second.seconds), (9, 8, 2));
}

#[tokio::test]
async fn no_limit_is_met_where_none_is_set() {
    let rates = Rates::UNLIMITED;
    let installation = Installation::with(|settings| settings.rates = rates).await;
    let caller = installation.stranger().await;
    for _ in 0..10_000 {
        let principal = &caller.context.principal;
        installation.iam.admit_growth(RequestClass::Writes, principal).unwrap();
        for class in [RequestClass::Reads, RequestClass::Writes, RequestClass::Decisions] {
            let told = installation.iam.admit_request(class, &caller.context.principal).unwrap();
            assert!(told.is_none());
        }
        installation.iam.admit_anonymous(Some(address(7))).unwrap();
    }
}

#[tokio::test]
async fn a_caller_makes_the_journal_grow_so_fast_and_what_ends_something_goes_on() {
    let installation = Installation::with(|settings| settings.rates.journal = 1).await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let (caller, other) = (installation.stranger().await, installation.stranger().await);
    installation.allow(&caller.urn(), &[rights::CLIENT_EDIT], &[&account_urn()]).await;
    let growth = |context: &Context| iam.admit_growth(RequestClass::Writes, &context.principal);
    // A short body, by which a long document is stored twice: before and after.
    let id = caller.client.id.clone();
    let urls = (0..100).map(|number| format!("https://app.example/{number}/{}", "x".repeat(1_900)));
    let long = ClientEdit { callback_urls: Some(urls.collect()), ..ClientEdit::default() };
    iam.edit_client(&caller.context, &id, Ok(long)).await.unwrap();
    let mut made = 0;
    while growth(&caller.context).is_ok() {
        let name = Some(format!("name-{made}"));
        let short = ClientEdit { name, ..ClientEdit::default() };
        iam.edit_client(&caller.context, &id, Ok(short)).await.unwrap();
        made += 1;
    }
    assert!((1..4).contains(&made), "{made} edits of 390 KB fit into 1 MiB");
    assert_eq!(admitted(|| growth(&caller.context)), 0);
    for class in [RequestClass::Revocations, RequestClass::Reads, RequestClass::Decisions] {
        iam.admit_growth(class, &caller.context.principal).unwrap();
    }
    for colleague in [&other.context, &owner] {
        growth(colleague).unwrap();
    }
    installation.pass(1_024 * SECOND);
    growth(&caller.context).unwrap();
}
