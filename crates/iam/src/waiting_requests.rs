//! Tests of requests that wait for their turn: what is taken away meanwhile counts.

use std::sync::Arc;

use gatewright_policy::AccountName;
use gatewright_testing::TestDatabase;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::core::iam::Iam;
use crate::core::iam::tests::opened;
use crate::engine::concurrency_limit::DECISIONS_OF_AN_ACCOUNT;
use crate::model::account::NewAccount;
use crate::model::caller::Context;
use crate::model::error::IamError;
use crate::model::query_id::QueryId;
use crate::model::secret::Secret;
use crate::model::token::Grant;

/// Takes all turns of an account, until it is notified.
fn take_turns(iam: &Arc<Iam>, account: &AccountName, end: &Arc<Notify>) -> JoinSet<()> {
    let mut turns = JoinSet::new();
    for _ in 0..DECISIONS_OF_AN_ACCOUNT {
        let (iam, account, end) = (Arc::clone(iam), account.clone(), Arc::clone(end));
        turns.spawn(async move {
            let held = iam.large_requests.run(&account, async {
                end.notified().await;
                Ok(())
            });
            held.await.unwrap();
        });
    }
    turns
}

#[tokio::test]
async fn a_request_that_has_waited_is_refused_where_its_caller_was_disabled_meanwhile() {
    let database = TestDatabase::sqlite();
    let iam = opened(&database).await;
    let account = AccountName::new("xx11111-ovh");
    let new = NewAccount {
        name: account.to_string(),
        email: "owner@example.com".to_owned(),
        password: Secret::from("an unlikely sentence of the tests".to_owned()),
        service_account: true,
    };
    let robot = iam.create_account(new).await.unwrap().unwrap();
    let grant = Grant {
        client_id: robot.client_id.clone(),
        client_secret: robot.secret,
        scope: Some("all".to_owned()),
        projects: None,
    };
    let issued = iam.issue(&grant, (None, QueryId::OPERATOR, iam.now())).await.unwrap();
    let authenticated = iam.authenticate(issued.access_token.reveal(), iam.now());
    let (principal, _) = authenticated.await.unwrap();
    let (query_id, now) = (QueryId::OPERATOR, iam.now());
    let context = Context { principal, ip: None, query_id, now, conditions: None };
    let ask = async || {
        let work = async |_: Context, _| Ok::<_, IamError>("decided");
        iam.run_large_request(&iam.large_requests, &context, work).await
    };
    assert_eq!(ask().await.unwrap(), "decided");

    let end = Arc::new(Notify::new());
    let turns = take_turns(&iam, &account, &end);
    while iam.large_requests.is_free_for(&account) {
        tokio::task::yield_now().await;
    }
    let disabled = async {
        iam.disable_client(&iam.as_owner(&account), &robot.client_id).await.unwrap();
        end.notify_waiters();
    };
    let (answer, ()) = tokio::join!(ask(), disabled);
    assert!(matches!(answer, Err(IamError::BadCredential)), "{answer:?}");
    turns.join_all().await;
}
