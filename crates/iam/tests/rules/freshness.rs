//! Freshness: memory that the database has left behind answers nothing.

#![expect(clippy::disallowed_methods, reason = "what passes here is the time of the machine")]

use std::time::{Duration, Instant};

use gatewright_iam::{
    AccountName, Fault, IamError, KeyRotation, NotReady, Permissions, PermissionsGroupInput,
    Settings,
};
use gatewright_testing::{Relay, TestDatabase};

use crate::installation::{ACCOUNT, Installation, OTHER, REBOOT, VPS, fault, texts};

/// The time within which a change elsewhere must be in force, on a machine however busy.
const SOON: Duration = Duration::from_secs(20);

/// Waits until something holds.
async fn until(holds: impl AsyncFn() -> bool) {
    let waited = tokio::time::timeout(SOON, async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    waited.await.expect("it never came true");
}

fn account() -> AccountName {
    AccountName::new(ACCOUNT)
}

fn group(name: &str) -> PermissionsGroupInput {
    let permissions = Permissions { allow: texts(&[REBOOT]), ..Permissions::default() };
    PermissionsGroupInput { name: name.to_owned(), description: String::new(), permissions }
}

fn database(installation: &Installation) -> TestDatabase {
    TestDatabase::at(format!("sqlite:{}", installation.file().display()))
}

#[tokio::test]
async fn what_another_process_changes_in_the_file_is_in_force() {
    let installation = Installation::new().await;
    let caller = installation.stranger().await;
    let policy = installation.allow(&caller.urn(), &[REBOOT], &[VPS]).await;
    assert!(installation.may(&caller.context, REBOOT, VPS).await);
    let elsewhere = installation.elsewhere().await;
    let owner = elsewhere.as_owner(&account());
    elsewhere.delete_policy(&owner, Ok(policy.rule.id)).await.unwrap();
    until(async || !installation.may(&caller.context, REBOOT, VPS).await).await;
    let other = installation.stranger().await;
    elsewhere.disable_client(&owner, &other.client.id).await.unwrap();
    until(async || installation.context_of(&other.token).await.is_err()).await;
    elsewhere.delete_client(&owner, &caller.client.id).await.unwrap();
    until(async || installation.context_of(&caller.token).await.is_err()).await;
}

#[tokio::test]
async fn a_key_that_another_process_removes_verifies_nothing_more() {
    let installation = Installation::new().await;
    let caller = installation.stranger().await;
    installation.context_of(&caller.token).await.unwrap();
    let elsewhere = installation.elsewhere().await;
    elsewhere.rotate_key(KeyRotation::Emergency).await.unwrap();
    until(async || installation.context_of(&caller.token).await.is_err()).await;
}

#[tokio::test]
async fn changes_that_the_database_has_lost_are_forgotten() {
    let installation = Installation::new().await;
    let caller = installation.stranger().await;
    installation.allow(&caller.urn(), &[REBOOT], &[VPS]).await;
    assert!(installation.may(&caller.context, REBOOT, VPS).await);
    let known = installation.iam.revision(&account()).unwrap();
    installation.iam.wait_for_revision(&known).await.unwrap();
    database(&installation).lose_last_change(ACCOUNT).await;
    until(async || !installation.may(&caller.context, REBOOT, VPS).await).await;
    // The revision is given out again, and is not the one that was lost.
    installation.allow(&caller.urn(), &["vps:apiovh:stop"], &[VPS]).await;
    assert!(!installation.may(&caller.context, REBOOT, VPS).await);
    until(async || installation.iam.wait_for_revision(&known).await.is_err()).await;
    assert_eq!(fault(installation.iam.wait_for_revision(&known).await), Fault::Parameter);
    installation.may(&caller.context, REBOOT, VPS).await;
    let known = installation.iam.revision(&account()).unwrap();
    installation.iam.wait_for_revision(&known).await.unwrap();
}

#[tokio::test]
async fn a_change_of_this_node_does_not_follow_changes_that_were_lost() {
    let installation = Installation::new().await;
    let caller = installation.stranger().await;
    installation.allow(&caller.urn(), &[REBOOT], &[VPS]).await;
    database(&installation).lose_last_change(ACCOUNT).await;
    // At once, before anything could be noticed otherwise.
    installation.allow(&caller.urn(), &["vps:apiovh:stop"], &[VPS]).await;
    assert!(!installation.may(&caller.context, REBOOT, VPS).await);
}

#[tokio::test]
async fn a_file_that_is_put_in_the_place_of_the_database_is_what_answers() {
    let installation = Installation::new().await;
    let caller = installation.stranger().await;
    let copy = installation.file().with_extension("copy");
    database(&installation).run(&format!("VACUUM INTO '{}'", copy.display())).await;
    installation.allow(&caller.urn(), &[REBOOT], &[VPS]).await;
    installation.create_account(OTHER).await.unwrap();
    assert!(installation.may(&caller.context, REBOOT, VPS).await);
    let known = installation.iam.revision(&account()).unwrap();
    for end in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", installation.file().display()));
    }
    std::fs::rename(copy, installation.file()).unwrap();
    let allowed = async || {
        let checked = installation.try_may(&caller.context, REBOOT, VPS).await;
        checked.is_ok_and(|allowed| !allowed)
    };
    until(allowed).await;
    assert_eq!(installation.iam.accounts().await.unwrap(), [account()]);
    // Whatever requests have dropped from memory meanwhile, the revision is of another past.
    until(async || installation.iam.wait_for_revision(&known).await.is_err()).await;
    for turn in 0..10 {
        installation.allow(&caller.urn(), &[&format!("vps:apiovh:a{turn}")], &[VPS]).await;
    }
    assert_eq!(fault(installation.iam.wait_for_revision(&known).await), Fault::Parameter);
}

/// Sets up an installation on PostgreSQL, and a relay to it for a node that is far away.
async fn far() -> Option<(Installation, Relay, String)> {
    let database = TestDatabase::postgres_if_any().await?;
    let short = |settings: &mut Settings| {
        settings.database_timeout = Duration::from_secs(1);
        settings.limits.permissions_groups = 2_000;
    };
    let installation = Installation::on(Some(&database.address), short).await;
    let relay = Relay::to(&database.address).await;
    let url = relay.url(&database.address);
    Some((installation, relay, url))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_far_node_under_many_changes_is_not_behind_what_was_taken_away() {
    let Some((installation, relay, url)) = far().await else { return };
    let caller = installation.stranger().await;
    let far = installation.node(&url).await;
    let accounts: Vec<AccountName> =
        (0..40).map(|number| AccountName::new(format!("cc{number}-ovh"))).collect();
    for account in &accounts {
        installation.create_account(account.as_str()).await.unwrap();
        far.me(&far.as_owner(account)).await.unwrap();
    }
    let policy = installation.allow(&caller.urn(), &[REBOOT], &[VPS]).await;
    relay.delay(Duration::from_millis(50));
    let may = async || {
        let checked = far.check(&caller.context, texts(&[VPS]), Ok(texts(&[REBOOT]))).await;
        checked.map(|checked| !checked[0].authorized.is_empty())
    };
    until(async || may().await.is_ok_and(|allowed| allowed)).await;
    // Changes in accounts that the far node has in memory, more of them than it could follow one by
    // one in the time.
    for account in accounts.iter().cycle().take(400) {
        let name = installation.iam.new_nonce().unwrap();
        let group = group(&name);
        let owner = installation.iam.as_owner(account);
        installation.iam.create_permissions_group(&owner, Ok(group)).await.unwrap();
    }
    installation.iam.delete_policy(&installation.owner(), Ok(policy.rule.id)).await.unwrap();
    let taken_away = Instant::now();
    let mut asked = 0;
    while taken_away.elapsed() < Duration::from_secs(2) {
        let began = taken_away.elapsed();
        let allowed = may().await.unwrap_or_default();
        assert!(!allowed || began < Duration::from_secs(1), "allowed {began:?} after it was taken");
        asked += 1;
    }
    assert!(asked > 2, "the node hangs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_lost_notices_reads_the_journal_to_its_end() {
    let Some((installation, relay, url)) = far().await else { return };
    let caller = installation.stranger().await;
    let far = installation.node(&url).await;
    let policy = installation.allow(&caller.urn(), &[REBOOT], &[VPS]).await;
    let may = async || {
        let checked = far.check(&caller.context, texts(&[VPS]), Ok(texts(&[REBOOT]))).await;
        checked.map(|checked| !checked[0].authorized.is_empty())
    };
    until(async || may().await.is_ok_and(|allowed| allowed)).await;
    relay.hold();
    let listeners = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE 'LISTEN%'";
    TestDatabase::at(installation.address().to_owned()).run(listeners).await;
    // More than one statement reads.
    for _ in 0..1_050 {
        let name = installation.iam.new_nonce().unwrap();
        let owner = installation.owner();
        installation.iam.create_permissions_group(&owner, Ok(group(&name))).await.unwrap();
    }
    installation.iam.delete_policy(&installation.owner(), Ok(policy.rule.id)).await.unwrap();
    relay.delay(Duration::ZERO);
    // A request before memory is trusted would read the journal itself. A heartbeat follows within a
    // quarter of a second.
    let known = far.revision(&account());
    until(async || far.revision(&account()) != known).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!may().await.unwrap(), "what was taken away is allowed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_database_falls_silent_refuses_within_its_timeout() {
    let Some((installation, relay, url)) = far().await else { return };
    let caller = installation.stranger().await;
    let far = installation.node(&url).await;
    let check = async || far.check(&caller.context, texts(&[VPS]), Ok(texts(&[REBOOT]))).await;
    check().await.unwrap();
    relay.hold();
    until(async || check().await.is_err()).await;
    for _ in 0..3 {
        let asked = Instant::now();
        let error = check().await.unwrap_err();
        assert!(matches!(error, IamError::Unavailable(_)), "{error:?}");
        // Twice the timeout: a connection is waited for, then an answer.
        assert!(asked.elapsed() < 3 * Duration::from_secs(1), "{:?}", asked.elapsed());
    }
    relay.delay(Duration::ZERO);
    until(async || check().await.is_ok()).await;
}

#[tokio::test]
async fn a_node_on_postgres_forgets_what_a_promoted_replica_has_not_received() {
    let Some(database) = TestDatabase::postgres_if_any().await else { return };
    let installation = Installation::on(Some(&database.address), |_| {}).await;
    let caller = installation.stranger().await;
    let elsewhere = installation.elsewhere().await;
    installation.allow(&caller.urn(), &[REBOOT], &[VPS]).await;
    let may = async || {
        let checked = elsewhere.check(&caller.context, texts(&[VPS]), Ok(texts(&[REBOOT]))).await;
        checked.is_ok_and(|checked| !checked[0].authorized.is_empty())
    };
    until(may).await;
    database.lose_last_change(ACCOUNT).await;
    // The next change takes the revision that was lost, on another node.
    let owner = installation.owner();
    installation.iam.create_permissions_group(&owner, Ok(group("one"))).await.unwrap();
    until(async || !may().await).await;
    assert!(!installation.may(&caller.context, REBOOT, VPS).await);
}

#[tokio::test]
async fn a_server_is_ready_while_its_database_answers() {
    let installation = Installation::new().await;
    installation.iam.check_ready().await.unwrap();
    installation.iam.close().await;
    let unready = installation.iam.check_ready().await;
    assert!(matches!(unready, Err(NotReady::Database(_))), "{unready:?}");
}
