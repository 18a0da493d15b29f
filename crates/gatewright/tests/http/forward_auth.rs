//! A guarded API behind real proxies, with requests that try to bypass them.

use std::io::{BufRead, BufReader};
use std::process::{ChildStdout, Command, Stdio};

use gatewright_testing::{TestDatabase, on_both_databases};
use reqwest::Method;
use serde_json::{Value, json};

use crate::assertions::{audience, verify};
use crate::attacks::{ATTACKS, Attack};
use crate::programs::{Running, examples, free_port};
use crate::proxies::Proxy;
use crate::server::{ACCOUNT, Caller, HTTPS, Reply, Server, http, run};

/// The shop of the examples, which records the requests that reach it.
struct Shop {
    port: u16,
    said: BufReader<ChildStdout>,
    _program: Running,
}

impl Shop {
    fn start() -> Self {
        let script = examples().join("shop/api.py");
        let mut program =
            Command::new("python3").arg(script).arg("0").stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(program.stdout.take().unwrap());
        let mut shop = Self { port: 0, said, _program: Running(program) };
        shop.port = u16::try_from(shop.received()["port"].as_u64().unwrap()).unwrap();
        shop
    }

    /// Returns the next request that reached the shop.
    fn received(&mut self) -> Value {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

/// Starts a server for the shop, and a caller who may read the order 7 and nothing else.
pub(crate) async fn guarded(database: &TestDatabase) -> (Server, Caller) {
    guarded_with(database, &[]).await
}

/// Does the same with more flags.
pub(crate) async fn guarded_with(database: &TestDatabase, more: &[&str]) -> (Server, Caller) {
    let folder = examples().join("shop");
    let grpc = free_port();
    let listen = format!("127.0.0.1:{grpc}");
    let flags = ["--products", folder.to_str().unwrap(), "--ext-authz-listen", &listen];
    let flags = [&flags[..], more].concat();
    let mut server = Server::start_with(database, &flags);
    server.grpc = Some(grpc);
    let admin = server.admin().await;
    let caller = server.stranger(&admin).await;
    admin.allow("seven", &caller, "order:shop:get", "urn:v1:eu:resource:order:7").await;
    (server, caller)
}

/// Checks that the shop received the caller's assertion with a request for an order.
async fn is_asserted(server: &Server, caller: &Caller, heard: &Value) {
    let signed = heard["assertion"].as_str().unwrap();
    let claims = verify(server, signed, &audience(server, "shop")).await.unwrap();
    assert_eq!((&claims["sub"], &claims["path"]), (&json!(caller.urn()), &json!("/orders/7")));
}

async fn nothing_gets_round(name: &str, database: &TestDatabase) {
    let (mut server, caller) = guarded(database).await;
    let mut shop = Shop::start();
    let proxy = Proxy::start(name, &server, shop.port).await;
    let bearer = format!("Bearer {}", caller.token);
    let own = [("Authorization", bearer.as_str())];

    let (status, answer) = proxy.send("GET", "/orders/7", &[]).await;
    assert_eq!(status, 401, "{answer}");
    assert!(answer.contains("www-authenticate: bearer"), "{answer}");
    let (status, answer) = proxy.send("GET", "/orders/8", &own).await;
    assert_eq!(status, 403, "{answer}");
    assert!(answer.contains("x-gatewright-missing: order:shop:get"), "{answer}");
    if name != "nginx" {
        // Other proxies pass a denial's headers on.
        assert!(answer.contains("x-gatewright-revision: "), "{answer}");
    }

    let mut tried = 0;
    for Attack(method, target, extra) in ATTACKS {
        let mut headers = own.to_vec();
        headers.extend_from_slice(extra);
        let (status, answer) = proxy.send(method, target, &headers).await;
        // A proxy may itself refuse malformed HTTP, and drop headers that mislead only others.
        assert!(!(200..300).contains(&status), "{method} {target} {extra:?}: {answer}");
        tried += 1;
    }
    assert!(tried >= 60);

    // What a client asserts itself does not pass, not even where everybody may.
    for target in ["/orders/7", "/health"] {
        let forged = [own[0], ("X-Gatewright-Assertion", "a.b.c")];
        assert_eq!(proxy.send("GET", target, &forged).await.0, 403, "{target}");
    }

    // An allowed request passes, with the identity; no other request has reached the shop before.
    let (status, answer) = proxy.send("GET", "/orders/7?lines=all", &own).await;
    assert_eq!(status, 200, "{answer}");
    let heard = shop.received();
    assert_eq!(
        (&heard["method"], &heard["target"]),
        (&json!("GET"), &json!("/orders/7?lines=all"))
    );
    assert_eq!(heard["identity"], caller.urn());
    assert_eq!(heard["account"], ACCOUNT);
    assert!(!heard["token"].as_str().unwrap().is_empty());
    is_asserted(&server, &caller, &heard).await;
    // No client takes the assertion away, as it could a header for one connection.
    let connection = [own[0], ("Connection", "close, X-Gatewright-Assertion")];
    let (status, answer) = proxy.send("GET", "/orders/7", &connection).await;
    assert_eq!(status, 200, "{answer}");
    is_asserted(&server, &caller, &shop.received()).await;
    assert!(heard["authorization"].as_str().unwrap_or_default().is_empty());

    // A public operation is allowed, with an anonymous caller.
    let (status, _) = proxy.send("GET", "/health", &[]).await;
    assert_eq!(status, 200);
    let heard = shop.received();
    assert_eq!(heard["target"], "/health");
    assert!(heard["identity"].as_str().unwrap_or_default().is_empty());
    assert!(heard["assertion"].as_str().unwrap_or_default().is_empty());

    // Without the server, requests are denied (fail closed).
    server.stop();
    let (status, answer) = proxy.send("GET", "/orders/7", &own).await;
    assert!(status >= 500, "{answer}");
}

const PLAIN: &str = "openapi: 3.1.0
info: {title: Press}
paths:
  /papers/{id}:
    get:
      summary: Read a paper
      responses:
        200: {description: The paper}
";

#[test]
fn an_api_is_proposed_checked_and_added() {
    let folder = tempfile::tempdir().unwrap();
    let products = folder.path().join("products");
    std::fs::create_dir(&products).unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let plain = json!({
        "openapi": "3.1.0", "info": {"title": "Library"},
        "paths": {"/books/{isbn}": {"get": {"summary": "Read a book"}}},
    });
    std::fs::write(path("plain.json"), plain.to_string()).unwrap();
    let (done, proposal) =
        run(&["catalogue", "propose", &path("plain.json"), "--account", ACCOUNT]);
    assert!(done && proposal.contains("book:library:get"), "{proposal}");
    std::fs::write(path("library.json"), &proposal).unwrap();
    let add = |name: &str| run(&["catalogue", "add", &path(name), "--products", &path("products")]);
    let (done, said) = add("library.json");
    assert!(done && said.contains("API library: 1 operations"), "{said}");
    std::fs::write(path("plain.yaml"), PLAIN).unwrap();
    let (done, proposal_in_yaml) = run(&["catalogue", "propose", &path("plain.yaml")]);
    assert!(done && proposal_in_yaml.contains("- name: paper:press:get"), "{proposal_in_yaml}");
    std::fs::write(path("press.yaml"), &proposal_in_yaml).unwrap();
    let (done, said) = add("press.yaml");
    assert!(done && said.contains("API press: 1 operations"), "{said}");
    let (done, said) = run(&["catalogue", "check", &path("products")]);
    assert!(done && said.contains("API library: 1 operations"), "{said}");

    std::fs::write(path("wrong.json"), proposal.replace("\"isbn\"", "\"title\"")).unwrap();
    let (done, said) = add("wrong.json");
    assert!(!done && said.contains("the path has no parameter {title}"), "{said}");
    let (done, said) = run(&["catalogue", "propose", &path("gone.json")]);
    assert!(!done && said.contains("gone.json"), "{said}");
    let mut kept: Vec<_> =
        std::fs::read_dir(&products).unwrap().map(|one| one.unwrap().file_name()).collect();
    kept.sort();
    assert_eq!(kept, ["library.json", "press.yaml"]);
}

on_both_databases!(nothing_gets_round_nginx);
async fn nothing_gets_round_nginx(database: TestDatabase) {
    nothing_gets_round("nginx", &database).await;
}

on_both_databases!(nothing_gets_round_caddy);
async fn nothing_gets_round_caddy(database: TestDatabase) {
    nothing_gets_round("caddy", &database).await;
}

on_both_databases!(nothing_gets_round_a_real_envoy);
async fn nothing_gets_round_a_real_envoy(database: TestDatabase) {
    nothing_gets_round("envoy", &database).await;
}

on_both_databases!(nothing_gets_round_a_real_envoy_that_asks_over_http);
async fn nothing_gets_round_a_real_envoy_that_asks_over_http(database: TestDatabase) {
    nothing_gets_round("envoy-http", &database).await;
}

on_both_databases!(each_kind_of_proxy_is_heard_by_its_own_headers_alone);
async fn each_kind_of_proxy_is_heard_by_its_own_headers_alone(database: TestDatabase) {
    let (server, caller) = guarded(&database).await;
    let http = http();
    let ask = async |kind: &str, headers: &[(&str, &str)]| {
        let url = format!("{}/forward-auth/{kind}", server.url);
        let request = http.get(url).bearer_auth(&caller.token);
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.send().await.unwrap().status().as_u16()
    };
    let original = [("X-Original-Method", "GET"), ("X-Original-URI", "/orders/7")];
    let forwarded = [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/orders/7")];
    assert_eq!(ask("nginx/shop", &original).await, 200);
    assert_eq!(ask("traefik/shop", &forwarded).await, 200);
    assert_eq!(ask("caddy/shop", &forwarded).await, 200);
    for (kind, headers) in [
        ("nginx/shop", forwarded.as_slice()),
        ("traefik/shop", original.as_slice()),
        ("nginx/shop", &original[..1]),
        ("nginx/shop", &original[1..]),
        ("nginx/shop", &[original.as_slice(), &forwarded[..1]].concat()),
        ("nginx/shop", &[original.as_slice(), &original[1..]].concat()),
        ("nginx/shop", &[original.as_slice(), &[("X_Original_URI", "/orders/7")]].concat()),
        ("nginx/shop", &[original.as_slice(), &[("X-Gatewright-Account", "a")]].concat()),
        ("caddy/shop", &[forwarded.as_slice(), &[("SCRIPT_NAME", "/orders")]].concat()),
        ("caddy/shop", &[forwarded.as_slice(), &[("PATH_INFO", "/orders/8")]].concat()),
        ("traefik/shop", &[forwarded.as_slice(), &[("Tenant.Id", "2")]].concat()),
        ("nginx/shop", &[original.as_slice(), &[("Upgrade", "websocket")]].concat()),
        ("nginx/other", original.as_slice()),
        ("apache/shop", original.as_slice()),
    ] {
        assert_eq!(ask(kind, headers).await, 403, "{kind} {headers:?}");
    }
    let mut blocked = 0;
    for Attack(method, target, extra) in
        ATTACKS.iter().filter(|one| one.2.iter().all(|(name, _)| *name != "Authorization"))
    {
        // An invalid header value cannot reach the server.
        let headers: Vec<(&str, &str)> =
            [("X-Forwarded-Method", *method), ("X-Forwarded-Uri", *target)]
                .into_iter()
                .chain(extra.iter().copied())
                .collect();
        assert_eq!(ask("traefik/shop", &headers).await, 403, "{method} {target} {extra:?}");
        blocked += 1;
    }
    assert!(blocked >= 60);
}

on_both_databases!(what_is_behind_an_api_belongs_to_its_account);
async fn what_is_behind_an_api_belongs_to_its_account(database: TestDatabase) {
    let (server, _) = guarded(&database).await;
    let other = server.setup().create_account("zz99999-ovh");
    let text = |name: &str| other[name].as_str().unwrap().to_owned();
    let stranger = server.login(&text("clientId"), &text("clientSecret")).await;
    // The other account has full access to its own objects, and may register resources.
    let urn = "urn:v1:eu:resource:order:7";
    let registered =
        stranger.post("/v2/iam/resource", &json!({"urn": urn, "type": "order", "name": "7"})).await;
    assert!(registered.status < 500, "{}", registered.body);
    let ask = async |caller: &Caller, target: &str| {
        let url = format!("{}/forward-auth/traefik/shop", server.url);
        let request = caller.http.get(url).bearer_auth(&caller.token);
        let request = request.header("X-Forwarded-Method", "GET").header("X-Forwarded-Uri", target);
        let answer = request.send().await.unwrap();
        let reason = answer
            .headers()
            .get("x-gatewright-missing")
            .map(|value| value.to_str().unwrap().to_owned());
        (answer.status().as_u16(), reason.unwrap_or_default())
    };
    assert_eq!(ask(&stranger, "/orders/7").await, (403, "order:shop:get".to_owned()));
    assert_eq!(ask(&stranger, "/orders").await, (403, "account:shop:orders/get".to_owned()));
    let admin = server.admin().await;
    assert_eq!(ask(&admin, "/orders/7").await.0, 200);
    // The owner grants access to the other account, which delegates it.
    let policy = json!({
        "name": "given",
        "identities": ["urn:v1:eu:identity:account:zz99999-ovh"],
        "resources": [{"urn": urn}],
        "permissions": {"allow": [{"action": "order:shop:get"}]},
    });
    let id =
        admin.post("/v2/iam/policy", &policy).await.expect(200)["id"].as_str().unwrap().to_owned();
    assert_eq!(ask(&stranger, "/orders/7").await.0, 200);
    admin.delete(&format!("/v2/iam/policy/{id}")).await.expect(204);
    assert_eq!(ask(&stranger, "/orders/7").await.0, 403);
}

on_both_databases!(a_service_account_that_is_deleted_passes_nowhere);
async fn a_service_account_that_is_deleted_passes_nowhere(database: TestDatabase) {
    let (server, caller) = guarded(&database).await;
    let admin = server.admin().await;
    let ask = async || {
        let url = format!("{}/forward-auth/nginx/shop", server.url);
        let request = caller.http.get(url).bearer_auth(&caller.token);
        let request =
            request.header("X-Original-Method", "HEAD").header("X-Original-URI", "/orders/7");
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(ask().await, 200);
    admin.delete(&format!("/v1/me/api/oauth2/client/{}", caller.id)).await.expect(200);
    assert_eq!(ask().await, 401);
}

fn library() -> Value {
    json!({
        "openapi": "3.1.0", "info": {"title": "Library"},
        "paths": {"/books/{isbn}": {"get": {
            "summary": "Read a book",
            "x-iam-actions": [{"name": "book:library:get"}],
            "x-iam-resource": {"type": "book", "in": "path", "name": "isbn"},
        }}},
    })
}

/// Returns the status of a decision about a book, for an API that was declared over HTTP.
async fn lends(url: &str, caller: &Caller, book: &str) -> u16 {
    let request =
        http().get(format!("{url}/forward-auth/caddy/library")).bearer_auth(&caller.token);
    let request = request.header("x-forwarded-method", "GET");
    let request = request.header("x-forwarded-uri", format!("/books/{book}"));
    request.send().await.unwrap().status().as_u16()
}

on_both_databases!(an_api_is_declared_while_the_server_runs);
async fn an_api_is_declared_while_the_server_runs(database: TestDatabase) {
    let mut server = Server::start(&database);
    let admin = server.admin().await;
    let caller = server.stranger(&admin).await;
    assert_eq!(lends(&server.url, &caller, "7").await, 403, "nobody has declared it");
    let path = "/v2/iam/api/library";
    let declared = admin.put(path, &library()).await.expect(200);
    assert_eq!(declared["document"]["x-iam-account"], ACCOUNT);
    admin.allow("seven", &caller, "book:library:get", "urn:v1:eu:resource:book:7").await;
    assert_eq!(lends(&server.url, &caller, "7").await, 200, "it is guarded when acknowledged");
    assert_eq!(lends(&server.url, &caller, "8").await, 403);
    let actions = admin.get("/v2/iam/reference/action?resourceType=book").await.expect(200);
    let read = actions.as_array().unwrap().iter().find(|one| one["action"] == "book:library:get");
    assert_eq!(read.unwrap()["description"], "Read a book");
    assert_eq!(admin.get("/v2/iam/api").await.expect(200), json!(["library"]));
    server.crash();
    let admin = server.admin().await;
    assert_eq!(lends(&server.url, &caller, "7").await, 401, "another issuer's token");
    assert_eq!(admin.get(path).await.expect(200)["name"], "library");

    let mut changed = library();
    changed["paths"]["/books/{isbn}"]["get"]["x-iam-actions"][0]["name"] =
        json!("book:library:borrow");
    let changed = admin.put(path, &changed).await.expect(200);
    assert!(changed["updatedAt"].is_string());
    let caller = server.stranger(&admin).await;
    let urn = "urn:v1:eu:resource:book:7";
    let allowed = admin.allow("get", &caller, "book:library:get", urn).await;
    assert_eq!(allowed["permissions"]["allow"], json!([{"action": "book:library:get"}]));
    assert_eq!(lends(&server.url, &caller, "7").await, 403, "it needs another right now");
    assert_eq!(admin.delete(path).await.status, 204);
    assert_eq!(lends(&server.url, &admin, "7").await, 403, "it is guarded no longer");
    admin.get(path).await.refused(404, "Client::NotFound");
    let audit = admin.get("/v1/me/logs/audit").await;
    assert_eq!(audit.status, 200, "{}", audit.body);
}

on_both_databases!(an_api_is_declared_in_yaml_as_in_json);
async fn an_api_is_declared_in_yaml_as_in_json(database: TestDatabase) {
    let server = Server::start(&database);
    let admin = server.admin().await;
    let put = async |kind: &str, document: &str| {
        let request = admin.request(Method::PUT, "/v2/iam/api/press");
        Reply::of(request.header("content-type", kind).body(document.to_owned())).await
    };
    let document = PLAIN.replace("      responses:", "      x-iam-public: true\n      responses:");
    let declared = put("application/yaml", &document).await.expect(200);
    let said = &declared["document"]["paths"]["/papers/{id}"]["get"]["responses"];
    assert_eq!(*said, json!({"200": {"description": "The paper"}}));
    let path = "/forward-auth/nginx/press";
    let asked = admin.http.get(format!("{}{path}", server.url));
    let asked = asked.header("x-original-method", "GET").header("x-original-uri", "/papers/7");
    assert_eq!(asked.send().await.unwrap().status(), 200);
    let class = "Client::BadRequest::INVALID_FORMAT";
    let long = format!("{document}a: &a {}\nb: [{}]", "x".repeat(100_000), "*a,".repeat(30));
    for (kind, document, says) in [
        ("application/yaml", &*long, "aliases"),
        ("application/yaml", "paths: [", "line 1"),
        ("text/yaml; charset=utf-8", "a: 1\na: 2", "line 2"),
    ] {
        let message = put(kind, document).await.refused(400, class);
        assert!(message.contains(says), "{message}");
    }
    put("application/json", PLAIN).await.refused(400, "Client::BadRequest");
    let message = put("application/yaml", "just a text").await;
    let message = message.refused(400, "Client::BadRequest::INVALID_PARAMETER");
    assert!(message.contains("must be an OpenAPI document"), "{message}");
}

on_both_databases!(a_wrong_declaration_says_what_to_do_and_changes_nothing);
async fn a_wrong_declaration_says_what_to_do_and_changes_nothing(database: TestDatabase) {
    let shop = examples().join("shop");
    let server = Server::start_with(&database, &["--products", shop.to_str().unwrap()]);
    let admin = server.admin().await;
    let path = "/v2/iam/api/library";
    let wrong = async |document: Value, says: &str| {
        let class = "Client::BadRequest::INVALID_PARAMETER";
        let message = admin.put(path, &document).await.refused(400, class);
        assert!(message.contains(says), "{message}");
    };
    wrong(json!({}), "must be an OpenAPI document").await;
    wrong(json!({"openapi": "3.1.0", "paths": 7}), "invalid type").await;
    let with = |field: &str, value: Value| {
        let mut document = library();
        document[field] = value;
        document
    };
    wrong(with("x-iam-api", json!("other")), "x-iam-api must be library").await;
    wrong(with("x-iam-account", json!("yy22222-ovh")), "x-iam-account must be").await;
    let mut lost = library();
    lost["paths"]["/books/{isbn}"]["get"]["x-iam-resource"]["name"] = json!("title");
    wrong(lost, "the path has no parameter {title}").await;
    let mut named = library();
    named["paths"]["/books/{isbn}"]["get"]["x-iam-actions"][0]["name"] = json!("book");
    wrong(named, "book").await;
    admin.put("/v2/iam/api/shop", &library()).await.refused(409, "Client::Conflict::AlreadyExists");
    let reply = admin.put("/v2/iam/api/a%20b", &library()).await;
    reply.refused(400, "Client::BadRequest::INVALID_PARAMETER");
    assert_eq!(admin.get("/v2/iam/api").await.expect(200), json!([]));
    let stranger = server.stranger(&admin).await;
    stranger.put(path, &library()).await.refused(403, "Client::Forbidden");
    admin.delete(path).await.refused(404, "Client::NotFound");
}

on_both_databases!(where_there_are_registrars_they_alone_declare_apis);
async fn where_there_are_registrars_they_alone_declare_apis(database: TestDatabase) {
    let server = Server::start_with(&database, &["--registrars", "yy22222-ovh"]);
    let admin = server.admin().await;
    let message =
        admin.put("/v2/iam/api/library", &library()).await.refused(403, "Client::Forbidden");
    assert!(message.contains("registrars"), "{message}");
    let other = server.setup().create_account("yy22222-ovh");
    let text = |name: &str| other[name].as_str().unwrap().to_owned();
    let registrar = server.login(&text("clientId"), &text("clientSecret")).await;
    let mut document = library();
    document["x-iam-account"] = json!(ACCOUNT);
    registrar.put("/v2/iam/api/library", &document).await.expect(200);
    assert_eq!(lends(&server.url, &admin, "7").await, 200, "the account's own admin may");
    assert_eq!(lends(&server.url, &registrar, "7").await, 403);
}

#[tokio::test]
async fn other_nodes_hear_of_a_declared_api() {
    let database = gatewright_testing::TestDatabase::postgres().await;
    let server = Server::start_with(&database, &HTTPS);
    let (mut other, url, _) = server.setup().spawn();
    let admin = server.admin().await;
    admin.put("/v2/iam/api/library", &library()).await.expect(200);
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while lends(&url, &admin, "7").await != 200 {
        assert!(std::time::Instant::now() < end, "it never hears");
    }
    other.kill().unwrap();
    other.wait().unwrap();
}
