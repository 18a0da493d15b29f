//! Simulations: the reasons of a decision, and the effects of a change.

use gatewright_iam::{
    Contribution, Fault, Instant, Part, Permissions, PolicyInput, PolicySource, Proposal, Reason,
    Simulation, rights,
};

use crate::apis::library;
use crate::installation::{ACCOUNT, DAY, Installation, REBOOT, VPS, account_urn, fault, texts};

fn request(installation: &Installation, identity: &str, action: &str) -> Simulation {
    Simulation {
        identity: identity.to_owned(),
        action: action.to_owned(),
        resource: VPS.to_owned(),
        ip: None,
        at: installation.now(),
    }
}

fn input(name: &str, identity: &str, allow: &[&str]) -> PolicyInput {
    PolicyInput {
        name: name.to_owned(),
        identities: texts(&[identity]),
        resources: texts(&[VPS]),
        permissions: Permissions { allow: texts(allow), ..Permissions::default() },
        ..PolicyInput::default()
    }
}

#[tokio::test]
async fn a_simulation_says_which_policy_decides_and_what_came_of_the_others() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let urn = installation.user("jane", &["UNPRIVILEGED"]).await;
    let allows = installation.allow(&urn, &[REBOOT], &[VPS]).await;
    let elsewhere = "urn:v1:eu:resource:vps:web-2";
    installation.allow(&urn, &["*"], &[elsewhere]).await;
    let result = iam.simulate(&owner, Ok(request(&installation, &urn, REBOOT)), None).await;
    let result = result.unwrap();
    assert!(result.allowed);
    assert_eq!((result.reason, result.policy), (Reason::Allowed, Some(allows.rule.id)));
    let came: Vec<&Contribution> = result.evaluated.iter().map(|one| &one.contribution).collect();
    assert!(came.contains(&&Contribution::Allows(Part::Own)), "{came:?}");
    assert!(came.contains(&&Contribution::OtherResource), "{came:?}");
    let denied = "vps:apiovh:stop";
    let result = iam.simulate(&owner, Ok(request(&installation, &urn, denied)), None).await;
    assert_eq!(result.unwrap().reason, Reason::NotAllowed);
    let nonsense = request(&installation, &urn, "vps:apiovh:fly");
    assert_eq!(fault(iam.simulate(&owner, Ok(nonsense), None).await), Fault::Input);
    let nobody = request(&installation, "nobody", REBOOT);
    assert_eq!(fault(iam.simulate(&owner, Ok(nobody), None).await), Fault::ResourceUrn);
}

#[tokio::test]
async fn a_proposal_is_tried_and_not_stored() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let urn = installation.user("jane", &["UNPRIVILEGED"]).await;
    let before = installation.changes().await;
    let proposal = Proposal { id: None, input: Some(input("new", &urn, &[REBOOT])) };
    let simulation = request(&installation, &urn, REBOOT);
    let result = iam.simulate(&owner, Ok(simulation.clone()), Some(proposal)).await.unwrap();
    assert!(result.allowed);
    assert!(!iam.simulate(&owner, Ok(simulation), None).await.unwrap().allowed);
    assert_eq!(installation.changes().await, before);
}

#[tokio::test]
async fn a_simulation_tells_a_proposal_from_stored_policies_and_roles() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let urn = installation.user("jane", &["UNPRIVILEGED"]).await;
    let stored = installation.allow(&urn, &[REBOOT], &[VPS]).await;
    let proposal = Proposal { id: None, input: Some(input("new", &urn, &["vps:apiovh:stop"])) };
    let simulation = request(&installation, &urn, REBOOT);
    let result = iam.simulate(&owner, Ok(simulation), Some(proposal)).await.unwrap();
    let sources: Vec<&PolicySource> = result.evaluated.iter().map(|one| &one.source).collect();
    assert_eq!(sources.len(), 3);
    for source in [
        PolicySource::Proposal("new".to_owned()),
        PolicySource::Stored(stored.name),
        PolicySource::Role,
    ] {
        assert!(sources.contains(&&source), "{sources:?}");
    }
    assert_eq!(result.policy, Some(stored.rule.id));
}

#[tokio::test]
async fn a_diff_says_what_is_gained_and_lost() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let caller = installation.stranger().await;
    let there = installation.allow(&caller.urn(), &["vps:apiovh:start"], &[VPS]).await;
    let new = input("changed", &caller.urn(), &[REBOOT]);
    let proposal = Proposal { id: Some(there.rule.id), input: Some(new) };
    let diffs = iam.diffs(&owner, Ok(proposal)).await.unwrap();
    assert_eq!(diffs.diffs.len(), 1, "{diffs:?}");
    let diff = &diffs.diffs[0];
    assert_eq!((&diff.gained, &diff.lost), (&texts(&[REBOOT]), &texts(&["vps:apiovh:start"])));
    let gone = Proposal { id: Some(there.rule.id), input: None };
    let diffs = iam.diffs(&owner, Ok(gone)).await.unwrap();
    assert!(diffs.diffs[0].gained.is_empty() && !diffs.locks_out);
}

#[tokio::test]
async fn whoever_would_lock_themselves_out_is_told() {
    let installation = Installation::new().await;
    let caller = installation.stranger().await;
    let policy = installation.allow(&caller.urn(), &["*"], &[&account_urn()]).await;
    assert!(installation.may(&caller.context, rights::POLICY_EDIT, &account_urn()).await);
    let gone = Proposal { id: Some(policy.rule.id), input: None };
    let diffs = installation.iam.diffs(&caller.context, Ok(gone.clone())).await.unwrap();
    assert!(diffs.locks_out);
    let by_owner = installation.iam.diffs(&installation.owner(), Ok(gone)).await.unwrap();
    assert!(!by_owner.locks_out);
}

#[tokio::test]
async fn effective_permissions_list_what_an_identity_may_do() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let caller = installation.stranger().await;
    assert!(iam.effective_permissions(&owner, &caller.urn()).await.unwrap().permissions.is_empty());
    installation.allow(&caller.urn(), &[REBOOT], &[VPS]).await;
    let all = iam.effective_permissions(&owner, &caller.urn()).await.unwrap().permissions;
    let on_vps = all.iter().find(|one| one.resource == VPS).unwrap();
    assert_eq!((&*on_vps.resource_type, &on_vps.actions), ("vps", &texts(&[REBOOT])));
    assert!(on_vps.total > 1);
}

#[tokio::test]
async fn effective_permissions_say_where_there_is_more_than_was_looked_at() {
    let little = |settings: &mut gatewright_iam::Settings| settings.limits.request_cost = 10;
    let installation = Installation::with(little).await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let caller = installation.stranger().await;
    assert!(!iam.effective_permissions(&owner, &caller.urn()).await.unwrap().is_part);
    installation.allow(&caller.urn(), &[REBOOT], &[VPS]).await;
    assert!(iam.effective_permissions(&owner, &caller.urn()).await.unwrap().is_part);
}

#[tokio::test]
async fn findings_name_denies_that_another_spelling_of_the_name_passes() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    iam.declare_api(&owner, "library", Ok(library().to_string())).await.unwrap();
    let caller = installation.stranger().await;
    let book = "urn:v1:eu:resource:book:9";
    let deny = |action: &str| Permissions { deny: texts(&[action]), ..Permissions::default() };
    let by_name = installation.policy(&caller.urn(), deny("book:library:*"), &[book]).await.rule.id;
    let found = async || iam.findings(&owner).await.unwrap().exact_denies;
    assert!(found().await.is_empty(), "nothing is allowed");
    let exact = installation.allow(&caller.urn(), &["book:library:get"], &[book]).await;
    assert!(found().await.is_empty(), "the same name alone is allowed");
    iam.delete_policy(&owner, Ok(exact.rule.id)).await.unwrap();
    let all = "urn:v1:eu:resource:book:*";
    installation.allow(&caller.urn(), &["book:library:get"], &[all]).await;
    assert_eq!(found().await, [by_name]);
    // What is denied with all that begins like it, and what no API names, is well.
    installation.policy(&caller.urn(), deny("book:library:*"), &[all]).await;
    assert!(found().await.is_empty());
    installation.allow(&caller.urn(), &[REBOOT], &["urn:v1:eu:resource:vps:*"]).await;
    installation.policy(&caller.urn(), deny(REBOOT), &[VPS]).await;
    assert!(found().await.is_empty());
}

#[tokio::test]
async fn findings_name_policies_that_somebody_should_look_at() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let caller = installation.stranger().await;
    let everything = installation.allow(&caller.urn(), &["*"], &[VPS]).await.rule.id;
    let missing = format!("urn:v1:eu:identity:user:{ACCOUNT}/gone");
    let gone = installation.allow(&missing, &[REBOOT], &[VPS]).await.rule.id;
    let mut policy = input("nobody", "", &[REBOOT]);
    policy.identities.clear();
    let nobody = iam.create_policy(&owner, Ok(policy)).await.unwrap().rule.id;
    let now = installation.now();
    let ends = async |name: &str, at: Instant| {
        let mut policy = input(name, &caller.urn(), &[REBOOT]);
        policy.expired_at = Some(at.to_string());
        iam.create_policy(&owner, Ok(policy)).await.unwrap().rule.id
    };
    let soon = ends("soon", now.saturating_add(DAY)).await;
    let over = ends("over", now.saturating_sub(DAY)).await;
    ends("later", now.saturating_add(400 * DAY)).await;
    let findings = iam.findings(&owner).await.unwrap();
    assert_eq!(findings.everything, [everything]);
    assert_eq!(findings.gone, [gone]);
    assert_eq!(findings.nobody, [nobody]);
    assert_eq!(findings.expiring, [(now.saturating_add(DAY), soon)]);
    assert_eq!(findings.expired, [over]);
}
