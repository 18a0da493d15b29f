//! Bare servers of the same framework, to compare with.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::{get, post};
use axum_server::accept::NoDelayAcceptor;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;

use crate::client::Anyhow;
use crate::envoy;
use gatewright_benchmarks::server::Running;

const JSON: [(axum::http::HeaderName, &str); 1] = [(CONTENT_TYPE, "application/json")];

/// The bare servers, in a process of their own.
pub(crate) struct Bare {
    pub(crate) address: SocketAddr,
    pub(crate) grpc: SocketAddr,
    _process: Running,
}

impl Bare {
    /// Starts this program again, as the bare servers.
    pub(crate) fn start() -> Anyhow<Self> {
        let itself = std::env::current_exe()?;
        let mut child = Command::new(itself).arg("bare").stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let process = Running(child);
        let (address, grpc) = line.trim().split_once(' ').ok_or("no addresses")?;
        Ok(Self { address: address.parse()?, grpc: grpc.parse()?, _process: process })
    }
}

/// Serves as the bare servers, until the process ends.
pub(crate) async fn serve() -> Anyhow<()> {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
        .map_err(|_| "no key")?;
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref())
        .map_err(|_| "no key")?;
    let key = Arc::new(key);
    let constant = move |_: Bytes| async move {
        (JSON, r#"{"authorizedActions":["vps:apiovh:get"],"unauthorizedActions":[]}"#)
    };
    let sign = move |_: Bytes| async move { (JSON, signed(&key)) };
    let app = Router::new()
        .route("/constant", post(constant))
        .route("/token", post(sign))
        .route("/allowed", get(|| async {}));
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let grpc = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{} {}", listener.local_addr()?, grpc.local_addr()?);
    tokio::spawn(envoy::bare(grpc));
    let server = axum_server::from_tcp(listener)?.acceptor(NoDelayAcceptor::new());
    Ok(server.serve(app.into_make_service()).await?)
}

/// Signs a token, as the response to a token request.
fn signed(key: &EcdsaKeyPair) -> String {
    let header = r#"{"typ":"at+jwt","alg":"ES256","kid":"0123456789abcdef"}"#;
    let claims = json!({
        "iss": "http://127.0.0.1:8080", "aud": "http://127.0.0.1:8080", "exp": 1_795_461_221,
        "iat": 1_795_457_621, "jti": "b6708e91b472db6ce031b07d73a2209e", "scope": "all",
        "sub": "urn:v1:eu:identity:credential:xx11111-ovh/oauth2-EU.54478dd15cff59e3",
        "client_id": "EU.54478dd15cff59e3",
    });
    let mut token = BASE64_URL_SAFE_NO_PAD.encode(header);
    token.push('.');
    BASE64_URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut token);
    let signature = key.sign(&SystemRandom::new(), token.as_bytes()).expect("a signature");
    token.push('.');
    BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    json!({"access_token": token, "token_type": "Bearer", "expires_in": 3599, "scope": "all"})
        .to_string()
}
