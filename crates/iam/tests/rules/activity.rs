//! The logs of activity, and the audit log.

use gatewright_iam::{
    Call, Event, GroupInput, GroupName, Instant, LogFilter, LogKind, Reason, Revision,
};

use crate::installation::{ACCOUNT, INSTANT, Installation, REBOOT, VPS, grant};

#[tokio::test]
async fn every_token_is_in_the_log_also_one_that_is_refused() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let caller = installation.stranger().await;
    let wrong = grant(&caller.client.id, &"wrong".to_owned().into(), "all");
    let about = (None, iam.new_query_id(), installation.now());
    assert!(iam.issue(&wrong, about).await.is_err());
    let all = LogFilter::default();
    let lines = iam.log(&owner, LogKind::Token, &all, (Instant::MAX, 10)).await.unwrap().lines;
    let told: Vec<_> = lines.iter().map(|line| (line.who.clone(), line.allowed)).collect();
    assert_eq!(told, [(caller.urn(), false), (caller.urn(), true)], "the last first");
}

#[tokio::test]
async fn a_decision_is_in_the_log_with_its_reason() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let caller = installation.stranger().await;
    assert!(!installation.may(&caller.context, REBOOT, VPS).await);
    let policy = installation.allow(&caller.urn(), &[REBOOT], &[VPS]).await;
    assert!(installation.may(&caller.context, REBOOT, VPS).await);
    // The owner needs no policy in their own account, so this is not logged as a decision.
    assert!(installation.may(&owner, REBOOT, VPS).await);
    let of = |allowed| LogFilter { who: caller.urn(), allowed, ..LogFilter::default() };
    let lines = async |filter: LogFilter| {
        iam.log(&owner, LogKind::Decision, &filter, (Instant::MAX, 10)).await.unwrap().lines
    };
    let allowed = lines(of(Some(true))).await;
    assert_eq!(
        (allowed.len(), &*allowed[0].what, allowed[0].on.as_deref()),
        (1, REBOOT, Some(VPS))
    );
    assert_eq!(
        (allowed[0].reason, allowed[0].policy),
        (Some(Reason::Allowed), Some(policy.rule.id))
    );
    let refused = lines(of(Some(false))).await;
    assert_eq!((refused.len(), refused[0].reason), (1, Some(Reason::NotAllowed)));
    assert_eq!(lines(of(None)).await.len(), 2);
    let hour = Instant::from_hours(installation.now().hours());
    let counts = iam.hourly_counts(&owner, hour).await.unwrap();
    assert_eq!((counts[0].hour, counts[0].tokens), (hour, 1));
    assert!(counts[0].allowed >= 1 && counts[0].refused >= 1, "{counts:?}");
}

#[tokio::test]
async fn calls_are_read_in_pages_the_last_first() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    for number in 0..5 {
        let what = format!("GET /{number}");
        iam.record(&owner, Call { what, route: "/{n}", status: 200, user_agent: None });
        installation.pass(1_000 * INSTANT);
    }
    let (mut seen, mut before) = (Vec::new(), Instant::MAX);
    loop {
        let all = LogFilter::default();
        let page = iam.log(&owner, LogKind::Call, &all, (before, 2)).await.unwrap();
        assert!(page.lines.len() <= 2);
        seen.extend(page.lines.into_iter().map(|line| line.what));
        match page.older {
            Some(older) => before = older,
            None => break,
        }
    }
    assert_eq!(seen, ["GET /4", "GET /3", "GET /2", "GET /1", "GET /0"]);
}

#[tokio::test]
async fn the_audit_says_who_changed_what_and_how_it_was() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let input = |description: &str| {
        let description = Some(description.to_owned());
        Ok(GroupInput { name: "ops".to_owned(), description, role: None })
    };
    let ops = GroupName::new("ops");
    iam.create_group(&owner, input("one")).await.unwrap();
    iam.edit_group(&owner, &ops, input("two")).await.unwrap();
    iam.delete_group(&owner, &ops).await.unwrap();
    let filter = LogFilter { on: "ops".to_owned(), ..LogFilter::default() };
    let events = iam.audit(&owner, &filter, (Revision::MAX, 10)).await.unwrap().events;
    let acts: Vec<_> = events.iter().map(Event::act).collect();
    assert_eq!(acts, ["deleted", "modified", "created"]);
    let urn = format!("urn:v1:eu:identity:account:{ACCOUNT}");
    assert!(events.iter().all(|event| event.who == urn && event.at == installation.now()));
    let (before, after) = events[1].field("description");
    assert_eq!((before.unwrap().as_str(), after.unwrap().as_str()), (Some("one"), Some("two")));
    assert_eq!(installation.changes().await, events[0].revision.number(), "the journal has no gap");
}

#[tokio::test]
async fn secrets_are_in_no_log() {
    let installation = Installation::new().await;
    let caller = installation.stranger().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let events = iam.audit(&owner, &LogFilter::default(), (Revision::MAX, 100)).await.unwrap();
    let text = format!("{events:?}");
    assert!(!text.contains(caller.secret.reveal()) && !text.contains(caller.token.reveal()));
}
