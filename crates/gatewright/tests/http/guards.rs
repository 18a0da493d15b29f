//! The examples that guard themselves with a client library, with requests that try to bypass it.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use gatewright_testing::TestDatabase;
use reqwest::Method;
use serde_json::json;

use crate::attacks::{ATTACKS, Attack};
use crate::programs::{Running, examples, free_port, listens, send};
use crate::server::{ACCOUNT, Caller, Reply, Server, http};

/// A shop that requests decisions from Gatewright itself.
struct Shop {
    port: u16,
    _program: Running,
}

impl Shop {
    /// Starts an example; its port is set in the environment.
    async fn start(mut command: Command, server: &Server, admin: &Caller) -> Self {
        let new = json!({"name": "shop", "description": "x", "flow": "CLIENT_CREDENTIALS"});
        let made = admin.post("/v1/me/api/oauth2/client", &new).await.expect(200);
        let (id, secret) = (made["clientId"].as_str().unwrap(), made["clientSecret"].as_str());
        let asks = Caller { id: id.to_owned(), ..admin.clone() };
        let account = format!("urn:v1:eu:resource:account:{ACCOUNT}");
        admin.allow("asks", &asks, "account:apiovh:iam/authorization/evaluate", &account).await;
        let port = free_port();
        command.env("GATEWRIGHT_URL", &server.url).env("PORT", port.to_string());
        command.env("GATEWRIGHT_ID", id).env("GATEWRIGHT_SECRET", secret.unwrap());
        let program = Running(command.stdout(Stdio::null()).spawn().unwrap());
        listens(port).await;
        Self { port, _program: program }
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        http().request(method, url)
    }

    async fn read(&self, path: &str, token: &str) -> Reply {
        Reply::of(self.request(Method::GET, path).bearer_auth(token)).await
    }

    /// Waits until a request is answered with a status.
    async fn until(&self, status: u16, path: &str, token: &str) {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let found = self.read(path, token).await.status;
            if found == status {
                return;
            }
            assert!(Instant::now() < end, "{path} is answered with {found}, not with {status}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn nothing_gets_round(command: Command) {
    let database = TestDatabase::sqlite();
    let products = examples().join("shop");
    let flags = ["--products", products.to_str().unwrap()];
    let mut server = Server::start_with(&database, &flags);
    let admin = server.admin().await;
    let shop = Shop::start(command, &server, &admin).await;
    let caller = server.stranger(&admin).await;
    let read = "order:shop:get";
    let policy = admin.allow("seven", &caller, read, "urn:v1:eu:resource:order:7").await;

    let nobody = Reply::of(shop.request(Method::GET, "/orders/7")).await;
    assert_eq!(nobody.status, 401);
    assert!(nobody.header("www-authenticate").starts_with("Bearer"));
    assert_eq!(Reply::of(shop.request(Method::GET, "/health")).await.status, 200);
    let seven = shop.read("/orders/7", &caller.token).await.expect(200);
    assert_eq!(seven, json!({"order": "7", "identity": caller.urn()}));
    let eight = shop.read("/orders/8", &caller.token).await.expect(403);
    assert_eq!(eight["class"], "Client::Forbidden");
    assert_eq!(eight["details"]["unauthorizedActionsByIAM"], read);
    let cut = server.login_for(&server.client_id, &server.client_secret, "account/all").await;
    shop.read("/orders", &cut.token).await.expect(200);
    shop.read("/orders/7", &cut.token).await.expect(403);
    let all =
        server.token(&server.client_id, &server.client_secret, "all openid").await.expect(200);
    shop.read("/orders/8", all["access_token"].as_str().unwrap()).await.expect(200);
    shop.read("/orders/8", all["id_token"].as_str().unwrap()).await.expect(401);
    // This operation is not declared, so even full access does not allow it.
    let everything = format!("Bearer {}", all["access_token"].as_str().unwrap());
    let (status, _) = send(shop.port, "GET", "/forgotten", &[("Authorization", &everything)]).await;
    assert!([403, 404].contains(&status), "{status}");
    for wrong in ["nonsense", "a.b.c", &format!("{}x", caller.token), &server.client_secret] {
        shop.read("/orders/7", wrong).await.expect(401);
    }

    let bearer = format!("Bearer {}", caller.token);
    for Attack(method, target, headers) in ATTACKS {
        let mut headers = headers.to_vec();
        headers.insert(0, ("Authorization", &bearer));
        let (status, body) = send(shop.port, method, target, &headers).await;
        // Any target that the application maps to the order 7 may be answered with it.
        let is_seven = body.contains(r#""order":"7""#) && !["DELETE", "PUT"].contains(method);
        assert!(!(200..300).contains(&status) || is_seven, "{method} {target} {headers:?}: {body}");
    }

    // Concurrent requests are decided in batches, each with a decision of its own.
    let before = calls(&server).await;
    let client = http();
    let answers = (0..200).map(|number| {
        let (path, token) = (format!("/orders/{}", number % 50), caller.token.clone());
        let request = client.get(format!("http://127.0.0.1:{}{path}", shop.port));
        let request = request.bearer_auth(token);
        async move { (number % 50, request.send().await.unwrap().status().as_u16()) }
    });
    for (order, status) in futures(answers).await {
        assert_eq!(status, if order == 7 { 200 } else { 403 }, "{order}");
    }
    let asked = calls(&server).await - before;
    assert!(asked < 200, "{asked} calls for 200 questions");

    // Access that is revoked ends within a second.
    let path = format!("/v2/iam/policy/{}", policy["id"].as_str().unwrap());
    assert_eq!(admin.delete(&path).await.status, 204);
    shop.until(403, "/orders/7", &caller.token).await;
    let (robot, token) = (server.stranger(&admin).await, "/orders/7");
    admin.allow("again", &robot, read, "urn:v1:eu:resource:order:7").await;
    shop.until(200, token, &robot.token).await;
    admin.delete(&format!("/v1/me/api/oauth2/client/{}", robot.id)).await.expect(200);
    shop.until(403, token, &robot.token).await;

    // A new key is fetched, and a removed one no longer counts.
    assert!(server.setup().run(&["key", "rotate", "--at-once"]).0);
    let admin_token = all["access_token"].as_str().unwrap();
    shop.until(403, "/orders/8", admin_token).await;
    let renewed = server.admin().await;
    shop.until(200, "/orders/8", &renewed.token).await;

    // Without the server, requests are denied (fail closed).
    server.stop();
    shop.until(503, "/orders/8", &renewed.token).await;
    assert_eq!(Reply::of(shop.request(Method::GET, "/health")).await.status, 200);
}

async fn futures<T: Send + 'static>(
    all: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let tasks: Vec<_> = all.map(tokio::spawn).collect();
    let mut done = Vec::new();
    for task in tasks {
        done.push(task.await.unwrap());
    }
    done
}

/// Returns the number of requests for decisions that the server has received.
async fn calls(server: &Server) -> usize {
    let text = http().get(format!("{}/metrics", server.operations)).send().await.unwrap();
    let text = text.text().await.unwrap();
    let lines = text.lines().filter(|line| line.contains("/access/v1/evaluations"));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_gets_round_the_python_guard() {
    let python = std::env::var("GATEWRIGHT_TEST_PYTHON")
        .expect("GATEWRIGHT_TEST_PYTHON is not set: run the tests with `cargo xtask test`");
    let mut command = Command::new(python);
    let clients = examples().join("../clients/python");
    command.current_dir(examples().join("fastapi")).env("PYTHONPATH", clients);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command.args(["-c", "import os, uvicorn; uvicorn.run('shop:app', port=int(os.environ['PORT']), log_level='warning')"]);
    nothing_gets_round(command).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_gets_round_the_rust_guard() {
    // The example is built with the workspace, into the same folder as the server.
    let folder = std::path::Path::new(crate::server::PROGRAM).parent().unwrap();
    nothing_gets_round(Command::new(folder.join("gatewright-example-axum"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_gets_round_the_go_guard() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("shop");
    let mut build = Command::new("go");
    build.current_dir(examples().join("go")).args(["build", "-o"]).arg(&program).arg(".");
    assert!(build.status().expect("Go, from https://go.dev/dl").success());
    nothing_gets_round(Command::new(program)).await;
}
