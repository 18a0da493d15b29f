//! Decisions for the caller, for other principals, and for forwarded requests.

use std::collections::BTreeMap;
use std::net::IpAddr;

use gatewright_iam::{
    AccountName, Condition, Context, Evaluation, EvaluationResult, EvaluationsSemantic, Fault,
    ForwardedRequest, IamError, Instant, NewResource, Permissions, PolicyInput, Reason,
    SubjectKind, rights,
};
use serde_json::json;

use crate::apis::library;
use crate::installation::{
    Caller, DAY, HOUR, Installation, OTHER, REBOOT, VPS, account_urn, evaluation, fault, texts,
};

const START_VPS: &str = "vps:apiovh:start";

impl Installation {
    async fn allow_if(&self, to: &str, conditions: serde_json::Value) {
        let conditions: Option<Condition> = Some(serde_json::from_value(conditions).unwrap());
        let input = PolicyInput {
            name: format!("p-{}", self.iam.new_nonce().unwrap()),
            identities: texts(&[to]),
            resources: texts(&[VPS]),
            permissions: Permissions { allow: texts(&[REBOOT]), ..Permissions::default() },
            conditions,
            ..PolicyInput::default()
        };
        self.iam.create_policy(&self.owner(), Ok(input)).await.unwrap();
    }

    /// Creates a service that may request decisions about others.
    async fn service(&self) -> Caller {
        let service = self.stranger().await;
        self.allow(&service.urn(), &[rights::EVALUATE], &[&account_urn()]).await;
        service
    }
}

async fn evaluate(
    installation: &Installation,
    service: &Caller,
    request: Evaluation,
) -> EvaluationResult {
    let requests = Ok(vec![Ok(request)]);
    let all = EvaluationsSemantic::ExecuteAll;
    let answers = installation.iam.evaluate(&service.context, requests, all).await.unwrap();
    answers.into_iter().next().unwrap().unwrap()
}

#[tokio::test]
async fn a_check_parts_what_one_may_from_what_one_may_not() {
    let installation = Installation::new().await;
    let (iam, caller) = (&installation.iam, installation.stranger().await);
    installation.allow(&caller.urn(), &[REBOOT], &[VPS]).await;
    let both = Ok(texts(&[REBOOT, START_VPS]));
    let checked = iam.check(&caller.context, texts(&[VPS]), both).await.unwrap();
    assert_eq!((&*checked[0].authorized[0], &*checked[0].unauthorized[0]), (REBOOT, START_VPS));
    let unknown = Ok(texts(&[REBOOT, "vps:apiovh:fly"]));
    assert_eq!(fault(iam.check(&caller.context, texts(&[VPS]), unknown).await), Fault::Input);
    let malformed = iam.check(&caller.context, texts(&["web-1"]), Ok(texts(&[REBOOT]))).await;
    assert_eq!(fault(malformed), Fault::ResourceUrn);
}

#[tokio::test]
async fn repeated_resources_and_actions_are_decided_once() {
    let installation = Installation::new().await;
    let (iam, caller) = (&installation.iam, installation.stranger().await);
    installation.allow(&caller.urn(), &[REBOOT], &[VPS]).await;
    let short = "urn:v1::resource:vps:web-1";
    let urns = texts(&[VPS, short, VPS]);
    let actions = Ok(texts(&[REBOOT, START_VPS, REBOOT]));
    let checked = iam.check(&caller.context, urns, actions).await.unwrap();
    let resources: Vec<&str> = checked.iter().map(|one| one.resource.as_str()).collect();
    assert_eq!(resources, [VPS, short, VPS], "one result for each resource of the request");
    for one in &checked {
        assert_eq!((&one.authorized, &one.unauthorized), (&texts(&[REBOOT]), &texts(&[START_VPS])));
    }
    let hour = Instant::from_hours(installation.now().hours());
    let counts = iam.hourly_counts(&installation.owner(), hour).await.unwrap();
    assert_eq!((counts[0].allowed, counts[0].refused), (1, 1));
}

/// Returns the URNs of so many resources, of which every second one is allowed.
async fn many_resources(installation: &Installation, caller: &Caller, count: usize) -> Vec<String> {
    let urns: Vec<String> =
        (0..count).map(|number| format!("urn:v1:eu:resource:vps:r{number}")).collect();
    let allowed: Vec<&str> = urns.iter().step_by(2).map(String::as_str).collect();
    installation.allow(&caller.urn(), &[REBOOT], &allowed).await;
    urns
}

#[tokio::test]
async fn a_large_request_is_decided_as_small_ones_are() {
    let installation = Installation::new().await;
    let (iam, caller) = (&installation.iam, installation.service().await);
    let urns = many_resources(&installation, &caller, 300).await;
    let actions = || Ok(texts(&[REBOOT, START_VPS]));
    let all = iam.check(&caller.context, urns.clone(), actions()).await.unwrap();
    let mut one_by_one = Vec::new();
    for urn in &urns {
        one_by_one.extend(iam.check(&caller.context, vec![urn.clone()], actions()).await.unwrap());
    }
    assert_eq!(all, one_by_one);
    assert_eq!(all.iter().filter(|one| one.authorized == [REBOOT]).count(), 150);
    let request = |urn: &String| Evaluation {
        resource: urn.rsplit(':').next().unwrap().to_owned(),
        ..evaluation(SubjectKind::ServiceAccount, &caller.urn())
    };
    let requests = || Ok(urns.iter().map(|urn| Ok(request(urn))).collect());
    let all = EvaluationsSemantic::ExecuteAll;
    let answers = iam.evaluate(&caller.context, requests(), all).await.unwrap();
    let allowed: Vec<bool> = answers.into_iter().map(|answer| answer.unwrap().allowed).collect();
    let expected: Vec<bool> = (0..300).map(|number| number % 2 == 0).collect();
    assert_eq!(allowed, expected);
    let first = EvaluationsSemantic::DenyOnFirstDeny;
    assert_eq!(iam.evaluate(&caller.context, requests(), first).await.unwrap().len(), 2);
}

#[tokio::test]
async fn many_cheap_requests_of_an_account_at_once_are_all_answered() {
    let installation = Installation::new().await;
    let (iam, caller) = (&installation.iam, installation.stranger().await);
    let urns = many_resources(&installation, &caller, 100).await;
    // From then on it is known in memory that nobody has registered them.
    iam.check(&caller.context, urns.clone(), Ok(texts(&[REBOOT]))).await.unwrap();
    let ask = || iam.check(&caller.context, urns.clone(), Ok(texts(&[REBOOT])));
    for _ in 0..100 {
        let mut asked = Box::pin(ask());
        let answer =
            std::future::poll_fn(|context| std::task::Poll::Ready(asked.as_mut().poll(context)));
        // None waits for another.
        let std::task::Poll::Ready(answer) = answer.await else { panic!("it waits") };
        assert_eq!(answer.unwrap().len(), 100);
    }
}

#[tokio::test]
async fn the_owners_of_many_resources_are_found_as_those_of_one() {
    let installation = Installation::new().await;
    installation.create_account(OTHER).await.unwrap();
    let (iam, caller) = (&installation.iam, installation.stranger().await);
    let other = iam.as_owner(&AccountName::new(OTHER));
    let urns: Vec<String> =
        (0..300).map(|number| format!("urn:v1:eu:resource:vps:r{number}")).collect();
    for (number, urn) in urns.iter().enumerate() {
        let owner = [&installation.owner(), &other][number % 3 % 2].clone();
        if number % 3 < 2 && number < 60 {
            let new = NewResource {
                urn: urn.clone(),
                display_name: None,
                owner: None,
                tags: BTreeMap::new(),
            };
            iam.create_resource(&owner, Ok(new)).await.unwrap();
        }
    }
    installation.allow(&caller.urn(), &[REBOOT], &["urn:v1:eu:resource:vps:*"]).await;
    let elsewhere = installation.elsewhere().await;
    let action = || Ok(texts(&[REBOOT]));
    let all = elsewhere.check(&caller.context, urns.clone(), action()).await.unwrap();
    let mut one_by_one = Vec::new();
    for urn in &urns {
        one_by_one.extend(iam.check(&caller.context, vec![urn.clone()], action()).await.unwrap());
    }
    assert_eq!(all, one_by_one);
    // What another account owns is not allowed by the caller's own policies.
    assert_eq!(all.iter().filter(|one| one.authorized.is_empty()).count(), 20);
}

#[tokio::test]
async fn a_request_that_costs_too_much_is_refused_before_anything_is_decided() {
    let limited = |settings: &mut gatewright_iam::Settings| settings.limits.request_cost = 20_000;
    let installation = Installation::with(limited).await;
    let (iam, caller) = (&installation.iam, installation.service().await);
    let urns = many_resources(&installation, &caller, 1_000).await;
    let action = || Ok(texts(&[REBOOT]));
    assert!(iam.check(&caller.context, urns[..100].to_vec(), action()).await.is_ok());
    let hour = Instant::from_hours(installation.now().hours());
    let decided = async || {
        let counts = iam.hourly_counts(&installation.owner(), hour).await.unwrap();
        counts[0].allowed + counts[0].refused
    };
    let before = decided().await;
    let refused = iam.check(&caller.context, urns.clone(), action()).await;
    assert!(matches!(refused, Err(IamError::TooLarge(_))), "{refused:?}");
    let request = evaluation(SubjectKind::ServiceAccount, &caller.urn());
    let requests = Ok((0..1_000).map(|_| Ok(request.clone())).collect());
    let all = EvaluationsSemantic::ExecuteAll;
    let refused = iam.evaluate(&caller.context, requests, all).await;
    assert!(matches!(refused, Err(IamError::TooLarge(_))), "{refused:?}");
    // The right to evaluate is decided on each time.
    assert!(decided().await - before <= 2);
    let many = (vec!["x".to_owned(); 1_001], Ok(vec![REBOOT.to_owned(); 100]));
    assert_eq!(fault(iam.check(&caller.context, many.0, many.1).await), Fault::TooLong);
}

#[tokio::test]
async fn a_large_check_ends_with_its_client() {
    let installation = Installation::new().await;
    let (iam, caller) = (&installation.iam, installation.stranger().await);
    let urns = many_resources(&installation, &caller, 5_000).await;
    let ask = || iam.check(&caller.context, urns.clone(), Ok(texts(&[REBOOT])));
    let mut left = 0;
    for _ in 0..100 {
        // The client goes away once the check has begun, which ends before on a busy machine at times.
        let mut asked = Box::pin(ask());
        for turn in 0..20 {
            left += usize::from(turn == 19);
            let pending = std::future::poll_fn(|context| {
                std::task::Poll::Ready(asked.as_mut().poll(context).is_pending())
            });
            if !pending.await {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    assert!(left > 0, "no check was left while it was made");
    assert_eq!(ask().await.unwrap().len(), 5_000, "its turn comes at once");
}

#[tokio::test]
async fn nothing_is_allowed_that_no_policy_allows_and_a_deny_wins() {
    let installation = Installation::new().await;
    let caller = installation.stranger().await;
    let may = async || installation.may(&caller.context, REBOOT, VPS).await;
    assert!(!may().await);
    installation.allow(&caller.urn(), &["*"], &["urn:v1:eu:resource:*"]).await;
    assert!(may().await);
    let deny = Permissions { deny: texts(&["*reboot"]), ..Permissions::default() };
    installation.policy(&caller.urn(), deny, &[VPS]).await;
    assert!(!may().await);
    assert!(installation.may(&installation.owner(), REBOOT, VPS).await, "root is beyond it");
}

#[tokio::test]
async fn a_condition_looks_at_the_hour_the_address_and_the_tags() {
    let installation = Installation::new().await;
    let caller = installation.stranger().await;
    let at = async |hours: u32, ip: Option<[u8; 4]>| {
        let ip = ip.map(IpAddr::from);
        let now = installation.now().saturating_add(hours * HOUR);
        installation.may(&Context { now, ip, ..caller.context.clone() }, REBOOT, VPS).await
    };
    let morning = json!({"operator": "MATCH", "values": {"date(UTC).Hour.LT": "12"}});
    installation.allow_if(&caller.urn(), morning).await;
    assert!(at(11, None).await && !at(12, None).await);
    let office = json!({"operator": "MATCH", "values": {"request.IP.IN_RANGE": "192.0.2.0/24"}});
    installation.allow_if(&caller.urn(), office).await;
    assert!(at(12, Some([192, 0, 2, 7])).await && !at(12, Some([198, 51, 100, 7])).await);
    let tagged = json!({"operator": "MATCH", "values": {"resource.Tag(env)": "test"}});
    installation.allow_if(&caller.urn(), tagged).await;
    assert!(!at(12, None).await);
    installation.resource(VPS, &[("env", "test")]).await;
    assert!(at(12, None).await);
}

#[tokio::test]
async fn a_service_that_may_ask_hears_about_each_kind_of_subject() {
    let installation = Installation::new().await;
    let (service, caller) = (installation.service().await, installation.stranger().await);
    let user = installation.user("jane", &["ADMIN"]).await;
    installation.allow(&caller.urn(), &[REBOOT], &[VPS]).await;
    for (kind, subject, allowed) in [
        (SubjectKind::ServiceAccount, caller.client.id.as_str(), true),
        (SubjectKind::ServiceAccount, &caller.urn(), true),
        (SubjectKind::ServiceAccount, service.client.id.as_str(), false),
        (SubjectKind::User, "jane", true),
        (SubjectKind::User, &user, true),
        (SubjectKind::Group, "ADMIN", true),
        (SubjectKind::Group, "UNPRIVILEGED", false),
        (SubjectKind::Token, caller.token.reveal(), true),
        (SubjectKind::Token, service.token.reveal(), false),
    ] {
        let answer = evaluate(&installation, &service, evaluation(kind, subject)).await;
        assert_eq!(answer.allowed, allowed, "{kind:?} {subject}: {answer:?}");
        assert!(answer.reason.is_some(), "{kind:?} {subject}");
    }
    for (kind, subject) in [
        (SubjectKind::ServiceAccount, "EU.0"),
        (SubjectKind::User, "nobody"),
        (SubjectKind::Group, "nobody"),
        (SubjectKind::Token, "x"),
        (SubjectKind::User, caller.client.id.as_str()),
    ] {
        let answer = evaluate(&installation, &service, evaluation(kind, subject)).await;
        assert_eq!((answer.allowed, answer.reason), (false, None), "{kind:?} {subject}");
    }
}

#[tokio::test]
async fn a_service_hears_about_its_own_account_alone() {
    let installation = Installation::new().await;
    installation.create_account(OTHER).await.unwrap();
    let caller = installation.stranger().await;
    installation.allow(&caller.urn(), &[REBOOT], &[VPS]).await;
    let other = installation.iam.as_owner(&AccountName::new(OTHER));
    for (kind, subject) in [
        (SubjectKind::ServiceAccount, caller.urn()),
        (SubjectKind::Token, caller.token.reveal().to_owned()),
    ] {
        let requests = Ok(vec![Ok(evaluation(kind, &subject))]);
        let answers = installation
            .iam
            .evaluate(&other, requests, EvaluationsSemantic::ExecuteAll)
            .await
            .unwrap();
        let answer = answers[0].as_ref().unwrap();
        assert_eq!((answer.allowed, answer.reason), (false, None), "{kind:?}");
    }
}

#[tokio::test]
async fn evaluations_stop_at_the_answer_that_is_asked_for() {
    let installation = Installation::new().await;
    let (service, caller) = (installation.service().await, installation.stranger().await);
    installation.allow(&caller.urn(), &[REBOOT], &[VPS]).await;
    let ask = |subject: &str| Ok(evaluation(SubjectKind::ServiceAccount, subject));
    let (yes, no) = (caller.client.id.as_str(), service.client.id.as_str());
    for (semantic, count) in [
        (EvaluationsSemantic::ExecuteAll, 3),
        (EvaluationsSemantic::PermitOnFirstPermit, 2),
        (EvaluationsSemantic::DenyOnFirstDeny, 1),
    ] {
        let requests = Ok(vec![ask(no), ask(yes), ask(no)]);
        let answers =
            installation.iam.evaluate(&service.context, requests, semantic).await.unwrap();
        assert_eq!(answers.len(), count, "{semantic:?}");
    }
}

#[tokio::test]
async fn properties_count_as_tags_where_the_asker_may_say_them() {
    let installation = Installation::new().await;
    let (service, caller) = (installation.service().await, installation.stranger().await);
    let tagged = json!({"operator": "MATCH", "values": {"resource.Tag(env)": "test"}});
    installation.allow_if(&caller.urn(), tagged).await;
    let mut request = evaluation(SubjectKind::ServiceAccount, caller.client.id.as_str());
    request.properties.insert("env".to_owned(), "test".to_owned());
    assert!(!evaluate(&installation, &service, request.clone()).await.allowed);
    installation.allow(&service.urn(), &[rights::SAY_PROPERTIES], &[&account_urn()]).await;
    assert!(evaluate(&installation, &service, request.clone()).await.allowed);
    // Registered tags override the properties of a request.
    installation.resource(VPS, &[("env", "production")]).await;
    assert!(!evaluate(&installation, &service, request).await.allowed);
}

#[tokio::test]
async fn searches_find_subjects_resources_and_actions() {
    let installation = Installation::new().await;
    let (service, caller) = (installation.service().await, installation.stranger().await);
    installation.resource(VPS, &[]).await;
    installation.resource("urn:v1:eu:resource:vps:web-2", &[]).await;
    installation.allow(&caller.urn(), &[REBOOT], &[VPS]).await;
    let request = || Ok(evaluation(SubjectKind::ServiceAccount, caller.client.id.as_str()));
    let (iam, context) = (&installation.iam, &service.context);
    assert_eq!(iam.search_subjects(context, request()).await.unwrap(), [caller.client.id.as_str()]);
    assert_eq!(iam.search_resources(context, request()).await.unwrap(), ["web-1"]);
    assert_eq!(iam.search_actions(context, request()).await.unwrap(), [REBOOT]);
}

/// Authorizes a forwarded request to the library.
pub(crate) async fn forwarded(
    installation: &Installation,
    (method, target): (&str, &str),
    token: Option<&str>,
) -> Result<Option<String>, IamError> {
    let request = ForwardedRequest {
        api: "library",
        method,
        target,
        header: &|_| None,
        upgrades: false,
        token: token.ok_or(IamError::NoCredentials),
        ip: None,
        query_id: installation.iam.new_query_id(),
        now: installation.now(),
    };
    let answer = installation.iam.authorize_forwarded(&request).await;
    let caller = answer.map_err(|refusal| refusal.error)?;
    Ok(caller.map(|one| one.principal.identity.urn().to_owned()))
}

#[tokio::test]
async fn a_forwarded_request_passes_with_the_right_that_its_operation_needs() {
    let installation = Installation::new().await;
    let caller = installation.stranger().await;
    let book = ("GET", "/books/7");
    let token = Some(caller.token.reveal());
    let refused = forwarded(&installation, book, token).await;
    assert!(matches!(refused, Err(IamError::Refused(_))), "no such API: {refused:?}");
    let owner = installation.owner();
    installation.iam.declare_api(&owner, "library", Ok(library().to_string())).await.unwrap();
    let refused = forwarded(&installation, book, None).await;
    assert!(matches!(refused, Err(IamError::NoCredentials)), "{refused:?}");
    let refused = forwarded(&installation, book, token).await;
    assert!(matches!(refused, Err(IamError::Forbidden { .. })), "{refused:?}");
    let urn = "urn:v1:eu:resource:book:7";
    installation.allow(&caller.urn(), &["book:library:get"], &[urn]).await;
    assert_eq!(forwarded(&installation, book, token).await.unwrap(), Some(caller.urn()));
    for (method, target) in [
        ("GET", "/books/8"),
        ("DELETE", "/books/7"),
        ("GET", "/books"),
        ("GET", "/books/7/"),
        ("GET", "/books/%2e%2e/7"),
        ("GET", "//books/7"),
        ("GET", "books/7"),
    ] {
        let refused = forwarded(&installation, (method, target), token).await;
        let is_refused = matches!(refused, Err(IamError::Refused(_) | IamError::Forbidden { .. }));
        assert!(is_refused, "{method} {target}: {refused:?}");
    }
    installation.pass(DAY);
    let late = forwarded(&installation, book, token).await;
    assert!(matches!(late, Err(IamError::BadCredential)), "{late:?}");
}

#[tokio::test]
async fn a_decision_says_why() {
    let installation = Installation::new().await;
    let (service, caller) = (installation.service().await, installation.stranger().await);
    let ask = async || {
        let request = evaluation(SubjectKind::ServiceAccount, caller.client.id.as_str());
        evaluate(&installation, &service, request).await
    };
    assert_eq!(ask().await.reason, Some(Reason::NotAllowed));
    let allows = installation.allow(&caller.urn(), &[REBOOT], &[VPS]).await;
    let answer = ask().await;
    assert_eq!((answer.reason, answer.policy), (Some(Reason::Allowed), Some(allows.rule.id)));
    let deny = Permissions { deny: texts(&["*"]), ..Permissions::default() };
    let denies = installation.policy(&caller.urn(), deny, &[VPS]).await;
    let answer = ask().await;
    assert_eq!((answer.reason, answer.policy), (Some(Reason::Denied), Some(denies.rule.id)));
}

/// Polls a future once; returns whether it has ended.
async fn ends_at_once(future: impl Future) -> bool {
    let mut future = Box::pin(future);
    std::future::poll_fn(|context| std::task::Poll::Ready(future.as_mut().poll(context).is_ready()))
        .await
}

#[tokio::test]
async fn a_request_whose_decisions_cost_much_leaves_the_thread_of_its_connection() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let (cheap, costly) = (installation.stranger().await, installation.stranger().await);
    iam.declare_api(&owner, "library", Ok(library().to_string())).await.unwrap();
    let everything = ["urn:v1:eu:resource:*"];
    let paris = json!({"operator": "MATCH", "values": {"date(Europe/Paris).Hour.GE": "0"}});
    let often = json!({"operator": "AND", "conditions": vec![paris; 100]});
    for _ in 0..20 {
        installation.allow(&cheap.urn(), &["book:library:get"], &everything).await;
        installation.allow_if(&costly.urn(), often.clone()).await;
    }
    installation.allow(&costly.urn(), &["book:library:get"], &everything).await;
    for (caller, is_cheap) in [(&cheap, true), (&costly, false)] {
        let check = async |actions: &[&str]| {
            let asked = iam.check(&caller.context, texts(&[VPS]), Ok(texts(actions)));
            ends_at_once(asked).await
        };
        // From then on all that is needed is in memory.
        iam.check(&caller.context, texts(&[VPS]), Ok(texts(&[REBOOT]))).await.unwrap();
        assert_eq!(check(&[REBOOT]).await, is_cheap);
        assert_eq!(check(&[REBOOT, START_VPS]).await, is_cheap);
        let book = ("GET", "/books/7");
        let token = Some(caller.token.reveal());
        // Allowed in either place.
        assert_eq!(forwarded(&installation, book, token).await.unwrap(), Some(caller.urn()));
        assert_eq!(ends_at_once(forwarded(&installation, book, token)).await, is_cheap);
        let request = evaluation(SubjectKind::ServiceAccount, &caller.urn());
        let all = EvaluationsSemantic::ExecuteAll;
        // One alone may have the cost of a token's verification as well.
        let two = || vec![Ok(request.clone()), Ok(request.clone())];
        let evaluate = || iam.evaluate(&owner, Ok(two()), all);
        evaluate().await.unwrap();
        assert_eq!(ends_at_once(evaluate()).await, is_cheap);
    }
}

#[tokio::test]
async fn a_forwarded_request_that_requires_too_many_actions_is_refused() {
    let installation = Installation::new().await;
    let (owner, caller) = (installation.owner(), installation.stranger().await);
    installation.allow(&caller.urn(), &["*"], &["urn:v1:eu:resource:*"]).await;
    for (count, is_allowed) in [(64, true), (65, false)] {
        let mut document = library();
        let action = |number| json!({"name": format!("book:library:get{number}")});
        let actions: Vec<_> = (0..count).map(action).collect();
        document["paths"]["/books/{isbn}"]["get"]["x-iam-actions"] = json!(actions);
        let declared = installation.iam.declare_api(&owner, "library", Ok(document.to_string()));
        declared.await.unwrap();
        let token = Some(caller.token.reveal());
        let answer = forwarded(&installation, ("GET", "/books/7"), token).await;
        assert_eq!(answer.is_ok(), is_allowed, "{answer:?}");
    }
}
