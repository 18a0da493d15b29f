//! AuthZEN's Authorization API, used by services that request decisions about others.

use gatewright_testing::{TestDatabase, on_both_databases};
use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{ACCOUNT, Caller, Reply, Server, http};

const ONE: &str = "/access/v1/evaluation";
const MANY: &str = "/access/v1/evaluations";

fn question(who: &Caller, action: &str, resource: &str) -> Value {
    json!({
        "subject": {"type": "service_account", "id": who.id},
        "action": {"name": action},
        "resource": {"type": "vps", "id": resource},
    })
}

/// Creates a service that may request decisions, and nothing else.
async fn service(server: &Server, admin: &Caller) -> Caller {
    let service = server.stranger(admin).await;
    let account = format!("urn:v1:eu:resource:account:{ACCOUNT}");
    let right = "account:apiovh:iam/authorization/evaluate";
    admin.allow("may-ask", &service, right, &account).await;
    service
}

on_both_databases!(a_service_that_may_ask_hears_what_check_would_answer);
async fn a_service_that_may_ask_hears_what_check_would_answer(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let service = service(&server, &admin).await;
    let callers = [server.stranger(&admin).await, server.stranger(&admin).await];
    let actions =
        ["vps:apiovh:get", "vps:apiovh:reboot", "vps:apiovh:terminate", "vps:apiovh:ips/get"];
    let mut seed = 7_u64;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    for number in 0..12 {
        let list = ["allow", "except", "deny"][if number < 8 { 0 } else { random(3) }];
        let resource =
            ["urn:v1:eu:resource:vps:*", "urn:v1:eu:resource:vps:a", "urn:v1:eu:resource:*"]
                [random(3)];
        let policy = json!({
            "name": format!("random-{number}"),
            "identities": [callers[random(2)].urn()],
            "resources": [{"urn": resource}],
            "permissions": {"allow": [{"action": actions[random(4)]}], list: [{"action": actions[random(4)]}]},
        });
        admin.post("/v2/iam/policy", &policy).await.expect(200);
    }
    let mut allowed = 0;
    for caller in &callers {
        for resource in ["a", "b"] {
            for action in actions {
                let urn = format!("urn:v1:eu:resource:vps:{resource}");
                let answer =
                    service.post(ONE, &question(caller, action, resource)).await.expect(200);
                let may = caller.may(action, &urn).await;
                assert_eq!(answer["decision"], may, "{action} {urn}: {answer}");
                allowed += usize::from(may);
            }
        }
    }
    assert!((2..15).contains(&allowed), "{allowed} of 16 are allowed");
}

on_both_databases!(only_who_may_ask_is_answered_and_only_about_their_own);
async fn only_who_may_ask_is_answered_and_only_about_their_own(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let (service, stranger) = (service(&server, &admin).await, server.stranger(&admin).await);
    let asked = question(&stranger, "vps:apiovh:get", "a");
    stranger.post(ONE, &asked).await.refused(403, "Client::Forbidden");
    stranger.post(MANY, &json!({"evaluations": 1})).await.refused(403, "Client::Forbidden");
    assert_eq!(server.bearing("nonsense").post(ONE, &asked).await.status, 401);

    let other = server.setup().create_account("zz99999-ovh");
    let id = other["clientId"].as_str().unwrap();
    let urn = format!("urn:v1:eu:identity:credential:zz99999-ovh/oauth2-{id}");
    for (kind, id) in [
        ("service_account", id),
        ("service_account", urn.as_str()),
        ("user", "nobody"),
        ("service_account", "EU.0"),
        ("spaceship", "a"),
        ("user", urn.as_str()),
        ("group", "nothing"),
        ("group", "*"),
        ("user", "a/b"),
    ] {
        let mut asked = asked.clone();
        asked["subject"] = json!({"type": kind, "id": id});
        let answer = service.post(ONE, &asked).await.expect(200);
        assert_eq!(answer["decision"], false, "{kind} {id}");
        assert!(answer["context"]["policy"].is_null(), "{answer}");
    }
    let mut asked = question(&stranger, "account:apiovh:me/get", "zz99999-ovh");
    asked["resource"]["type"] = json!("account");
    assert_eq!(service.post(ONE, &asked).await.expect(200)["decision"], false);
}

on_both_databases!(who_is_deleted_or_disabled_may_nothing_at_once);
async fn who_is_deleted_or_disabled_may_nothing_at_once(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let (service, caller) = (service(&server, &admin).await, server.stranger(&admin).await);
    admin.allow("gets", &caller, "vps:apiovh:get", "urn:v1:eu:resource:vps:*").await;
    let asked = question(&caller, "vps:apiovh:get", "a");
    let answer = service.post(ONE, &asked).await.expect(200);
    assert_eq!(answer["decision"], true);
    assert_eq!(answer["context"]["reason"], "a policy allows it");
    admin.delete(&format!("/v1/me/api/oauth2/client/{}", caller.id)).await.expect(200);
    assert_eq!(service.post(ONE, &asked).await.expect(200)["decision"], false);

    let user = json!({"login": "jane", "password": "correct horse", "group": "ADMIN"});
    admin.post("/v1/me/identity/user", &user).await.expect(200);
    let mut asked = asked.clone();
    asked["subject"] = json!({"type": "user", "id": "jane"});
    assert_eq!(service.post(ONE, &asked).await.expect(200)["decision"], true);
    admin.post("/v1/me/identity/user/jane/disable", &Value::Null).await.expect(200);
    assert_eq!(service.post(ONE, &asked).await.expect(200)["decision"], false);
}

on_both_databases!(a_token_is_asked_about_with_its_scope_and_while_it_counts);
async fn a_token_is_asked_about_with_its_scope_and_while_it_counts(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let service = service(&server, &admin).await;
    let (id, secret) = (server.client_id.as_str(), server.client_secret.as_str());
    let decision = async |token: &str, action: &str, kind: &str| {
        let question = json!({
            "subject": {"type": "token", "id": token},
            "action": {"name": action},
            "resource": {"type": kind, "id": "a"},
        });
        service.post(ONE, &question).await.expect(200)["decision"].as_bool().unwrap()
    };
    let whole = server.login_for(id, secret, "all").await;
    assert!(decision(&whole.token, "vps:apiovh:get", "vps").await);
    let cut = server.login_for(id, secret, "vps/all openid").await;
    assert!(decision(&cut.token, "vps:apiovh:get", "vps").await);
    assert!(!decision(&cut.token, "domain:apiovh:get", "domain").await);
    let reply = server.token(id, secret, "vps/all openid").await.expect(200);
    for wrong in ["", "nonsense", id, &cut.urn(), reply["id_token"].as_str().unwrap()] {
        assert!(!decision(wrong, "vps:apiovh:get", "vps").await, "{wrong}");
    }
    let form = [("client_id", id), ("client_secret", secret), ("token", whole.token.as_str())];
    let request = http().post(format!("{}/auth/oauth2/revoke", server.url));
    Reply::of(request.form(&form)).await.expect(200);
    assert!(!decision(&whole.token, "vps:apiovh:get", "vps").await, "it was revoked");
    assert!(decision(&cut.token, "vps:apiovh:get", "vps").await);
}

on_both_databases!(what_nobody_registered_belongs_to_the_account_that_the_service_names);
async fn what_nobody_registered_belongs_to_the_account_that_the_service_names(
    database: TestDatabase,
) {
    let server = Server::start_with(&database, &["--registrars", ACCOUNT]);
    let admin = server.admin().await;
    let service = service(&server, &admin).await;
    let other = server.setup().create_account("yy22222-ovh");
    let text = |name: &str| other[name].as_str().unwrap().to_owned();
    let (id, secret) = (text("clientId"), text("clientSecret"));
    let stranger = server.login(&id, &secret).await;
    let question = |owner: Option<&str>| {
        let mut question = json!({
            "subject": {"type": "token", "id": stranger.token},
            "action": {"name": "vps:apiovh:get"},
            "resource": {"type": "vps", "id": "a"},
        });
        if let Some(owner) = owner {
            question["resource"]["properties"] = json!({"account": owner});
        }
        question
    };
    let decision = async |owner| {
        service.post(ONE, &question(owner)).await.expect(200)["decision"].as_bool().unwrap()
    };
    assert!(decision(None).await, "it is taken for the caller's own");
    assert!(!decision(Some(ACCOUNT)).await, "it is ours, and we allowed nothing");
    assert!(!decision(Some("zz33333-ovh")).await, "there is no such account");
    let wrong = json!({"subject": {"type": "token", "id": "x"}, "action": {"name": "y"},
            "resource": {"type": "vps", "id": "a", "properties": {"account": 1}}});
    service.post(ONE, &wrong).await.expect(400);
}

on_both_databases!(a_batch_has_defaults_and_may_stop_early);
async fn a_batch_has_defaults_and_may_stop_early(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let (service, caller) = (service(&server, &admin).await, server.stranger(&admin).await);
    admin.allow("gets", &caller, "vps:apiovh:get", "urn:v1:eu:resource:vps:*").await;
    let whole = question(&caller, "vps:apiovh:get", "a");
    let ask = async |semantic: &str| {
        let mut body = whole.clone();
        body["evaluations"] = json!([
            {},
            {"action": {"name": "vps:apiovh:reboot"}},
            {"resource": {"type": "vps"}},
            1,
            {"resource": {"type": "vps", "id": "b"}},
        ]);
        body["options"] = json!({"evaluations_semantic": semantic});
        let answer = service.post(MANY, &body).await.expect(200);
        let answers = answer["evaluations"].as_array().unwrap().clone();
        answers.iter().map(|one| one["decision"].as_bool().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(ask("execute_all").await, [true, false, false, false, true]);
    assert_eq!(ask("deny_on_first_deny").await, [true, false]);
    assert_eq!(ask("permit_on_first_permit").await, [true]);
    assert_eq!(service.post(MANY, &whole).await.expect(200)["decision"], true);
    let mut body = whole.clone();
    (body["evaluations"], body["options"]) = (json!([{}]), json!(["deny_on_first_deny"]));
    assert_eq!(service.post(MANY, &body).await.status, 400, "a list is no object");
}

on_both_databases!(what_cannot_be_read_is_400_and_a_message);
async fn what_cannot_be_read_is_400_and_a_message(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let service = service(&server, &admin).await;
    let good = question(&admin, "vps:apiovh:get", "a");
    for (field, wrong) in [
        ("subject", json!(null)),
        ("subject", json!({"type": "user"})),
        ("action", json!("get")),
        ("action", json!({})),
        ("resource", json!({"type": 1, "id": "a"})),
        ("context", json!([])),
        ("context", json!({"ip": "here"})),
        ("context", json!({"time": "now"})),
        ("subject", json!({"type": "user", "id": "a", "properties": 1})),
    ] {
        let mut body = good.clone();
        body[field] = wrong.clone();
        let reply = service.post(ONE, &body).await;
        assert_eq!(reply.status, 400, "{field} {wrong}: {}", reply.body);
        assert!(reply.body.is_string(), "{}", reply.body);
    }
    let send = async |kind: &str, text: &str| {
        let request = service.request(Method::POST, ONE).header("content-type", kind);
        Reply::of(request.header("x-request-id", "r-1").body(text.to_owned())).await
    };
    for (kind, text) in [
        ("application/json", ""),
        ("application/json", "{"),
        ("application/json", "[]"),
        ("text/plain", &*good.to_string()),
    ] {
        let reply = send(kind, text).await;
        assert_eq!((reply.status, reply.header("x-request-id")), (400, "r-1"), "{kind} {text}");
    }
    let reply = send("application/json; charset=utf-8", &good.to_string()).await;
    assert_eq!((reply.status, reply.header("x-request-id")), (200, "r-1"));
}

on_both_databases!(searches_find_what_may_be_done);
async fn searches_find_what_may_be_done(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let (service, caller) = (service(&server, &admin).await, server.stranger(&admin).await);
    for name in ["a", "b", "c"] {
        let resource = json!({"urn": format!("urn:v1:eu:resource:vps:{name}")});
        admin.post("/v2/iam/resource", &resource).await.expect(200);
    }
    admin.allow("a", &caller, "vps:apiovh:get", "urn:v1:eu:resource:vps:a").await;
    admin.allow("c", &caller, "vps:apiovh:get", "urn:v1:eu:resource:vps:c").await;
    let mut asked = question(&caller, "vps:apiovh:get", "a");
    let found = async |kind: &str, asked: &Value| {
        let path = format!("/access/v1/search/{kind}");
        service.post(&path, asked).await.expect(200)["results"].clone()
    };
    let resources = found("resource", &asked).await;
    assert_eq!(resources, json!([{"type": "vps", "id": "a"}, {"type": "vps", "id": "c"}]));
    assert_eq!(found("action", &asked).await, json!([{"name": "vps:apiovh:get"}]));
    asked["subject"] = json!({"type": "service_account"});
    let subjects = found("subject", &asked).await;
    let ids: Vec<&Value> = subjects.as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert!(ids.contains(&&json!(caller.id)) && !ids.contains(&&json!(service.id)), "{subjects}");
    asked["subject"] = json!({"type": "spaceship"});
    assert_eq!(found("subject", &asked).await, json!([]));
    let answer = service.get("/.well-known/authzen-configuration").await.expect(200);
    assert_eq!(answer["policy_decision_point"], server.url);
    let evaluation = answer["access_evaluation_endpoint"].as_str().unwrap();
    assert!(evaluation.ends_with(ONE), "{evaluation}");
}

/// Starts a server with AuthZEN's own cases: the records of its certification, and the todos of its
/// interoperability events.
async fn declared(database: &TestDatabase) -> (Server, Caller, Caller) {
    let server = Server::start(database);
    let admin = server.admin().await;
    let api = |kind: &str, actions: &[&str]| {
        let operations = actions.iter().map(|action| {
            let resource = json!({"type": kind, "in": "path", "name": "id"});
            let needs = json!([{"name": format!("{kind}:app:{action}")}]);
            let operation = json!({"x-iam-actions": needs, "x-iam-resource": resource});
            (format!("/{kind}/{{id}}/{action}"), json!({ "get": operation }))
        });
        let paths: serde_json::Map<String, Value> = operations.collect();
        json!({"openapi": "3.1.0", "paths": paths})
    };
    let todo = ["can_read_todos", "can_create_todo", "can_update_todo", "can_delete_todo"];
    for (name, kind, actions) in [
        ("records", "record", &["read", "write", "delete"][..]),
        ("todos", "todo", &todo),
        ("people", "user", &["can_read_user"]),
    ] {
        admin.put(&format!("/v2/iam/api/{name}"), &api(kind, actions)).await.expect(200);
    }
    let service = service(&server, &admin).await;
    let right = "account:apiovh:iam/authorization/evaluate/properties";
    let account = format!("urn:v1:eu:resource:account:{ACCOUNT}");
    admin.allow("may-say", &service, right, &account).await;
    (server, admin, service)
}

async fn user(admin: &Caller, login: &str) -> String {
    let user = json!({"login": login, "email": format!("{login}@example.com"),
        "password": "correct horse battery", "description": "x", "group": "UNPRIVILEGED"});
    admin.post("/v1/me/identity/user", &user).await.expect(200);
    format!("urn:v1:eu:identity:user:{ACCOUNT}/{login}")
}

async fn policy(
    admin: &Caller,
    name: &str,
    who: &[&str],
    list: &str,
    action: &str,
    on: &str,
    when: Value,
) {
    let mut policy = json!({
        "name": name,
        "identities": who,
        "resources": [{"urn": format!("urn:v1:eu:resource:{on}")}],
        "permissions": {list: [{"action": action}]},
    });
    if !when.is_null() {
        policy["conditions"] = json!({"operator": "MATCH", "values": when});
    }
    admin.post("/v2/iam/policy", &policy).await.expect(200);
}

on_both_databases!(authzens_certification_cases_are_answered_as_published);
async fn authzens_certification_cases_are_answered_as_published(database: TestDatabase) {
    let (server, admin, service) = declared(&database).await;
    let (alice, bob) = (user(&admin, "alice").await, user(&admin, "bob").await);
    let (alice, bob) = (alice.as_str(), bob.as_str());
    policy(&admin, "read", &[alice, bob], "allow", "record:app:read", "record:*", Value::Null)
        .await;
    policy(&admin, "write", &[alice], "allow", "record:app:write", "record:record-1", Value::Null)
        .await;
    policy(
        &admin,
        "archived",
        &[alice],
        "deny",
        "record:app:write",
        "record:*",
        json!({"resource.Tag(status)": "archived"}),
    )
    .await;
    policy(
        &admin,
        "admins",
        &[bob],
        "allow",
        "record:app:write",
        "record:*",
        json!({"resource.Tag(subject.role)": "admin"}),
    )
    .await;
    policy(
        &admin,
        "soft",
        &[alice],
        "allow",
        "record:app:delete",
        "record:*",
        json!({"resource.Tag(action.soft)": "true"}),
    )
    .await;
    let cases = [
        ("alice", json!({}), "read", json!({}), json!({}), true),
        ("alice", json!({}), "write", json!({}), json!({}), true),
        ("bob", json!({}), "read", json!({}), json!({}), true),
        ("bob", json!({}), "write", json!({}), json!({}), false),
        ("alice", json!({}), "write", json!({}), json!({"status": "archived"}), false),
        ("alice", json!({}), "write", json!({}), json!({"status": "active"}), true),
        ("bob", json!({"role": "admin"}), "write", json!({}), json!({"status": "archived"}), true),
        ("alice", json!({}), "delete", json!({"soft": true}), json!({}), true),
        ("alice", json!({}), "delete", json!({"soft": false}), json!({}), false),
        ("alice", json!({}), "delete", json!({}), json!({}), false),
    ];
    let questions = cases.clone().map(|(who, subject, action, how, record, _)| {
        json!({
            "subject": {"type": "user", "id": who, "properties": subject},
            "action": {"name": action, "properties": how},
            "resource": {"type": "record", "id": "record-1", "properties": record},
        })
    });
    let answers = service.post(MANY, &json!({"evaluations": questions})).await.expect(200);
    for (number, ((.., expected), question)) in cases.iter().zip(&questions).enumerate() {
        let one = service.post(ONE, question).await.expect(200);
        assert_eq!(one["decision"], *expected, "{question}");
        assert_eq!(answers["evaluations"][number]["decision"], *expected, "{question}");
    }
    // The properties that a service sends count only if it has the right to override them.
    let other = server.stranger(&admin).await;
    let account = format!("urn:v1:eu:resource:account:{ACCOUNT}");
    let right = "account:apiovh:iam/authorization/evaluate";
    admin.allow("may-ask-alone", &other, right, &account).await;
    assert_eq!(other.post(ONE, &questions[6]).await.expect(200)["decision"], false);
    assert_eq!(other.post(ONE, &questions[7]).await.expect(200)["decision"], false);
}

on_both_databases!(authzens_todo_cases_are_answered_as_published);
async fn authzens_todo_cases_are_answered_as_published(database: TestDatabase) {
    let (_server, admin, service) = declared(&database).await;
    let mut people = std::collections::BTreeMap::new();
    for (name, login) in [
        ("rick", "CiRmZDA2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs"),
        ("morty", "CiRmZDE2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs"),
        ("summer", "CiRmZDI2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs"),
        ("beth", "CiRmZDM2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs"),
        ("jerry", "CiRmZDQ2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs"),
    ] {
        people.insert(name, (login, user(&admin, login).await));
    }
    let of = |names: &[&'static str]| {
        names.iter().map(|name| people[name].1.as_str()).collect::<Vec<_>>()
    };
    let all = of(&["rick", "morty", "summer", "beth", "jerry"]);
    let (todo, none) = ("todo:*", Value::Null);
    policy(&admin, "people", &all, "allow", "user:app:can_read_user", "user:*", none.clone()).await;
    policy(&admin, "read", &all, "allow", "todo:app:can_read_todos", todo, none.clone()).await;
    let makers = of(&["rick", "morty", "summer"]);
    policy(&admin, "create", &makers, "allow", "todo:app:can_create_todo", todo, none.clone())
        .await;
    policy(
        &admin,
        "geniuses",
        &of(&["rick"]),
        "allow",
        "todo:app:can_update_todo",
        todo,
        none.clone(),
    )
    .await;
    policy(&admin, "admins", &of(&["rick"]), "allow", "todo:app:can_delete_todo", todo, none).await;
    for (name, house) in [("morty", "citadel"), ("summer", "smiths")] {
        let own = json!({"resource.Tag(ownerID)": format!("{name}@the-{house}.com")});
        for action in ["can_update_todo", "can_delete_todo"] {
            let (title, action) = (format!("{name}-{action}"), format!("todo:app:{action}"));
            policy(&admin, &title, &of(&[name]), "allow", &action, todo, own.clone()).await;
        }
    }
    let ricks = json!({"ownerID": "rick@the-citadel.com"});
    let mortys = json!({"ownerID": "morty@the-citadel.com"});
    let summers = json!({"ownerID": "summer@the-smiths.com"});
    let everyone = ["rick", "morty", "summer", "beth", "jerry"];
    let cases: [(&str, &str, Value, &[&str]); 9] = [
        ("user", "can_read_user", json!({}), &everyone),
        ("todo", "can_read_todos", json!({}), &everyone),
        ("todo", "can_create_todo", json!({}), &["rick", "morty", "summer"]),
        ("todo", "can_update_todo", ricks.clone(), &["rick"]),
        ("todo", "can_update_todo", mortys.clone(), &["rick", "morty"]),
        ("todo", "can_update_todo", summers.clone(), &["rick", "summer"]),
        ("todo", "can_delete_todo", ricks, &["rick"]),
        ("todo", "can_delete_todo", mortys, &["rick", "morty"]),
        ("todo", "can_delete_todo", summers, &["rick", "summer"]),
    ];
    for (kind, action, properties, allowed) in cases {
        for name in everyone {
            let question = json!({
                "subject": {"type": "user", "id": people[name].0},
                "action": {"name": action},
                "resource": {"type": kind, "id": "7240d0db-8ff0-41ec-98b2-34a096273b9f", "properties": properties},
            });
            let answer = service.post(ONE, &question).await.expect(200);
            assert_eq!(answer["decision"], allowed.contains(&name), "{name} {action} {properties}");
        }
    }
}
