//! Decisions for the caller, for other principals, and for forwarded requests.

use std::collections::BTreeMap;
use std::net::IpAddr;

use gatewright_iam::{
    AccountName, Condition, Context, Evaluation, EvaluationResult, EvaluationsSemantic, Fault,
    ForwardedRequest, IamError, Permissions, PolicyInput, Reason, SubjectKind, rights,
};
use serde_json::json;

use crate::apis::library;
use crate::installation::{
    Caller, DAY, HOUR, Installation, OTHER, REBOOT, VPS, account_urn, fault, texts,
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

fn evaluation(kind: SubjectKind, subject: &str) -> Evaluation {
    Evaluation {
        subject_kind: Some(kind),
        subject: subject.to_owned(),
        action: REBOOT.to_owned(),
        resource_type: "vps".to_owned(),
        resource: "web-1".to_owned(),
        owner: None,
        properties: BTreeMap::new(),
        ip: None,
        at: None,
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
async fn forwarded(
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
    installation.iam.declare_api(&owner, "library", Ok(library())).await.unwrap();
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
