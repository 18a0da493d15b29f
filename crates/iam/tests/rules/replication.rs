//! Replication: following an account to decide in another process.

use gatewright_iam::{
    AccountName, Fact, Fault, IamError, ReachedEntry, ReplicaPosition, Revision, limits,
};

use crate::installation::{Installation, REBOOT, VPS, fault};

/// Follows an account up to the journal; returns all facts.
async fn follow(installation: &Installation) -> (Vec<Fact>, ReplicaPosition) {
    let (mut facts, mut followed) = (Vec::new(), ReplicaPosition::Nothing);
    while !matches!(followed, ReplicaPosition::Journal { .. }) {
        let owner = installation.owner();
        let (more, next) = installation.iam.follow(&owner, followed).await.unwrap();
        facts.extend(more);
        followed = next;
    }
    (facts, followed)
}

#[tokio::test]
async fn whoever_follows_hears_what_there_is_and_then_each_change() {
    let installation = Installation::new().await;
    let caller = installation.stranger().await;
    installation.allow(&caller.urn(), &[REBOOT], &[VPS]).await;
    let (facts, followed) = follow(&installation).await;
    assert!(matches!(facts[0], Fact::Account { .. }), "{:?}", facts[0]);
    let text = format!("{facts:?}");
    assert!(text.contains(REBOOT) && text.contains(caller.client.id.as_str()));
    assert!(!text.contains(caller.secret.reveal()), "no secret is a fact");
    let change = installation.allow(&caller.urn(), &["vps:apiovh:stop"], &[VPS]).await;
    let (news, _) = installation.iam.follow(&installation.owner(), followed).await.unwrap();
    let text = format!("{news:?}");
    assert!(text.contains(&change.rule.id.to_string()), "{text}");
}

#[tokio::test]
async fn whoever_resumes_names_a_revision_that_was_reached() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let reached = installation.changes().await;
    let entry = |revision: Revision, hash: Option<&str>| {
        Ok(ReachedEntry { revision, hash: hash.map(str::to_owned) })
    };
    let reached = Revision::new(reached);
    let (_, followed) = iam.resume(&owner, entry(reached, None)).await.unwrap();
    assert!(matches!(followed, ReplicaPosition::Journal { .. }), "{followed:?}");
    for revision in [reached.next(), Revision::new(-1)] {
        let refused = iam.resume(&owner, entry(revision, None)).await.map(drop);
        assert_eq!(fault(refused), Fault::Parameter);
    }
    // Whoever says which entry it was is sent everything again where it is gone.
    let (facts, _) = iam.follow(&owner, followed).await.unwrap();
    let Some(Fact::Reached { revision, hash }) = facts.last() else { panic!("{facts:?}") };
    let (_, followed) = iam.resume(&owner, entry(*revision, hash.as_deref())).await.unwrap();
    assert!(matches!(followed, ReplicaPosition::Journal { .. }), "{followed:?}");
    for lost in [entry(reached, Some("00")), entry(reached.next(), hash.as_deref())] {
        let (facts, followed) = iam.resume(&owner, lost).await.unwrap();
        assert!(matches!(facts[0], Fact::Account { .. }), "{:?}", facts[0]);
        assert!(matches!(followed, ReplicaPosition::Rows { .. }), "{followed:?}");
    }
}

#[tokio::test]
async fn whoever_waits_for_a_revision_waits_for_one_that_exists() {
    let installation = Installation::new().await;
    let (iam, account) = (&installation.iam, &AccountName::new(crate::installation::ACCOUNT));
    assert!(iam.revision(account).is_none(), "it is not in memory yet");
    iam.me(&installation.owner()).await.unwrap();
    let revision = iam.revision(account).unwrap();
    iam.wait_for_revision(&revision).await.unwrap();
    for wrong in [format!("{account}:999999"), "nobody:1".to_owned()] {
        let wrong: gatewright_iam::AccountRevision = wrong.parse().unwrap();
        assert_eq!(fault(iam.wait_for_revision(&wrong).await), Fault::Parameter);
    }
}

#[tokio::test]
async fn an_account_has_so_many_replicas_at_once_and_others_have_theirs() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let mut held: Vec<_> =
        (0..limits::REPLICAS).map(|_| iam.replica_place(&owner).unwrap()).collect();
    let refused = iam.replica_place(&owner).err();
    assert!(matches!(refused, Some(IamError::Busy { .. })), "{refused:?}");
    iam.replica_place(&iam.as_owner(&AccountName::new("other-ovh"))).unwrap();
    held.pop();
    iam.replica_place(&owner).unwrap();
}
