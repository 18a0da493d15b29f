//! The logs of activity, and the audit log.

use std::time::Duration;

use gatewright_iam::{
    AccountName, Attempt, Call, Context, Event, Expiry, GroupInput, GroupName, Instant, LogFilter,
    LogKind, Login, PolicyInput, Reason, Revision, Role, UserEdit, UserTokenInput, rights,
};

use crate::installation::{
    ACCOUNT, INSTANT, Installation, OTHER, REBOOT, VPS, account_urn, grant, texts,
};

const SECOND: Duration = Duration::from_secs(1);

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
async fn many_decisions_of_one_request_are_one_line_for_each_outcome() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let caller = installation.stranger().await;
    installation.allow(&caller.urn(), &[REBOOT], &["urn:v1:eu:resource:vps:r1*"]).await;
    let urns = (0..100).map(|number| format!("urn:v1:eu:resource:vps:r{number}")).collect();
    iam.check(&caller.context, urns, Ok(texts(&[REBOOT]))).await.unwrap();
    let all = LogFilter { who: caller.urn(), ..LogFilter::default() };
    let log = iam.log(&owner, LogKind::Decision, &all, (Instant::MAX, 10)).await.unwrap();
    let told: Vec<_> = log.lines.iter().map(|line| (line.allowed, line.count)).collect();
    assert_eq!(told, [(false, Some(89)), (true, Some(11))]);
    let on = log.lines[1].on.as_deref().unwrap();
    let first = "urn:v1:eu:resource:vps:r1 urn:v1:eu:resource:vps:r10";
    assert!(on.starts_with(first) && on.ends_with('…'), "{on}");
    assert_eq!(log.lines[1].reason, Some(Reason::Allowed));
    let hour = Instant::from_hours(installation.now().hours());
    let counts = iam.hourly_counts(&owner, hour).await.unwrap();
    assert!(counts[0].allowed >= 11 && counts[0].refused >= 89, "{counts:?}");
}

#[tokio::test]
async fn repeated_failures_are_one_line_a_minute_with_their_count() {
    let installation = Installation::with(|settings| settings.rates.failures = 1_000).await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let caller = installation.stranger().await;
    let wrong = grant(&caller.client.id, &"wrong".to_owned().into(), "all");
    let fail = async |times: usize| {
        for _ in 0..times {
            let about = (None, iam.new_query_id(), installation.now());
            assert!(iam.issue(&wrong, about).await.is_err());
        }
    };
    let lines = async || {
        let all = LogFilter { allowed: Some(false), ..LogFilter::default() };
        let log = iam.log(&owner, LogKind::Token, &all, (Instant::MAX, 100)).await.unwrap();
        log.lines.into_iter().map(|line| line.count).collect::<Vec<_>>()
    };
    fail(1).await;
    assert_eq!(lines().await, [None], "the first is there at once");
    fail(500).await;
    assert_eq!(lines().await, [None]);
    installation.pass(60 * SECOND);
    assert_eq!(lines().await, [Some(500), None]);
    installation.pass(60 * SECOND);
    assert_eq!(lines().await, [Some(500), None], "nothing has happened since");
}

#[tokio::test]
async fn failed_sign_ins_of_a_known_login_are_in_the_log() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    for login in [ACCOUNT, ACCOUNT, "nobody-ovh", "aa11111-ovh/nobody"] {
        let (login, password) = (login.to_owned(), "wrong".to_owned().into());
        let attempt = Attempt { login, password, origin: installation.origin() };
        assert!(iam.sign_in(attempt).await.is_err());
    }
    let all = LogFilter::default();
    let lines = iam.log(&owner, LogKind::Call, &all, (Instant::MAX, 10)).await.unwrap().lines;
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(line.who, format!("urn:v1:eu:identity:account:{ACCOUNT}"));
    assert_eq!((&*line.what, line.allowed, line.count), ("sign-in", false, Some(2)));
    assert_eq!(line.ip.as_deref(), Some("192.0.2.1"));
}

#[tokio::test]
async fn who_decides_much_drowns_neither_calls_nor_others() {
    let installation = Installation::new().await;
    installation.create_account(OTHER).await.unwrap();
    let (iam, owner) = (&installation.iam, installation.owner());
    let other = iam.as_owner(&AccountName::new(OTHER));
    let noisy = installation.stranger().await;
    for _ in 0..20_000 {
        assert!(!installation.may(&noisy.context, REBOOT, VPS).await);
    }
    for number in 0..500 {
        let what = format!("GET /{number}");
        iam.record(&owner, Call { what, route: "/{n}", status: 200, user_agent: None });
    }
    let quiet = installation.stranger().await;
    for _ in 0..100 {
        assert!(!installation.may(&quiet.context, REBOOT, VPS).await);
    }
    let lines = async |context: &Context, kind, who: String| {
        let filter = LogFilter { who, ..LogFilter::default() };
        iam.log(context, kind, &filter, (Instant::MAX, 100_000)).await.unwrap().lines
    };
    let urn = format!("urn:v1:eu:identity:account:{ACCOUNT}");
    assert_eq!(lines(&owner, LogKind::Call, urn.clone()).await.len(), 500);
    assert_eq!(lines(&owner, LogKind::Decision, quiet.urn()).await.len(), 100);
    let written = lines(&owner, LogKind::Decision, noisy.urn()).await.len();
    assert!((100..20_000).contains(&written), "{written}");
    // The log says what is missing, to whom it belongs.
    let left_out = lines(&owner, LogKind::Decision, urn).await;
    let missing: u64 =
        left_out.iter().filter(|line| line.left_out).filter_map(|line| line.count).sum();
    assert_eq!(usize::try_from(missing).unwrap(), 20_000 - written);
    assert!(lines(&other, LogKind::Decision, String::new()).await.is_empty());
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
async fn the_audit_marks_changes_that_give_somebody_a_right_that_leads_to_all_others() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let marked = async |what: &str| {
        let filter = LogFilter { what: what.to_owned(), ..LogFilter::default() };
        let events = iam.audit(&owner, &filter, (Revision::MAX, 1)).await.unwrap().events;
        events[0].equal_to_administrator
    };
    let caller = installation.stranger().await;
    let home = account_urn();
    for (right, resource, expected) in [
        (rights::POLICY_GET, home.as_str(), false),
        (rights::POLICY_EDIT, VPS, false),
        (rights::POLICY_EDIT, &home, true),
        ("*", "urn:v1:eu:resource:*", true),
    ] {
        let policy = installation.allow(&caller.urn(), &[right], &[resource]).await;
        assert_eq!(marked("policy created").await, expected, "{right} on {resource}");
        let mut input = PolicyInput::from(policy.clone());
        input.description = Some("changed".to_owned());
        iam.edit_policy(&owner, Ok(policy.rule.id), Ok(input.clone())).await.unwrap();
        assert!(!marked("policy modified").await, "nobody gets anything");
        input.identities.push(installation.stranger().await.urn());
        iam.edit_policy(&owner, Ok(policy.rule.id), Ok(input)).await.unwrap();
        assert_eq!(marked("policy modified").await, expected, "{right} on {resource}");
        iam.delete_policy(&owner, Ok(policy.rule.id)).await.unwrap();
        assert!(!marked("policy deleted").await);
    }
    installation.user("jane", &["UNPRIVILEGED"]).await;
    assert!(!marked("user created").await);
    let groups = |name: &str| {
        Ok(UserEdit { groups: Some(vec![GroupName::new(name)]), ..UserEdit::default() })
    };
    let jane = Login::new("jane");
    iam.edit_user(&owner, &jane, groups("ADMIN")).await.unwrap();
    assert!(marked("user modified").await);
    let token =
        UserTokenInput { name: "t".to_owned(), description: String::new(), expiry: Expiry::Never };
    iam.create_user_token(&owner, &jane, Ok(token)).await.unwrap();
    assert!(marked("userToken created").await);
    iam.edit_user(&owner, &jane, groups("UNPRIVILEGED")).await.unwrap();
    assert!(!marked("user modified").await);
    let ops = |role| Ok(GroupInput { name: "ops".to_owned(), description: None, role: Some(role) });
    iam.create_group(&owner, ops(Role::None)).await.unwrap();
    assert!(!marked("group created").await);
    iam.edit_group(&owner, &GroupName::new("ops"), ops(Role::Admin)).await.unwrap();
    assert!(marked("group modified").await);
}

#[tokio::test]
async fn a_page_of_the_audit_that_needs_much_work_ends_early_and_leaves_nothing_out() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    for login in ["jane", "john", "joan", "jean"] {
        installation.user(login, &["ADMIN"]).await;
        let edit =
            UserEdit { groups: Some(vec![GroupName::new("UNPRIVILEGED")]), ..UserEdit::default() };
        iam.edit_user(&owner, &Login::new(login), Ok(edit)).await.unwrap();
    }
    let filter = LogFilter { what: "user ".to_owned(), ..LogFilter::default() };
    let all = iam.audit(&owner, &filter, (Revision::MAX, 100)).await.unwrap().events;
    let marked: Vec<_> = all.iter().map(|event| event.equal_to_administrator).collect();
    assert_eq!(marked, [false, true].repeat(4));
    let limited = installation.elsewhere_with(|settings| settings.limits.request_cost = 1).await;
    let (mut seen, mut before, mut pages) = (Vec::new(), Revision::MAX, 0);
    loop {
        let page = limited.audit(&owner, &filter, (before, 100)).await.unwrap();
        seen.extend(page.events);
        pages += 1;
        match page.older {
            Some(older) => before = older,
            None => break,
        }
    }
    assert!(pages > 2, "{pages}");
    assert_eq!(seen, all);
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
