//! Measures tokens and checks per second over HTTP, beside bare servers of the same framework: one
//! with a constant response, one that only signs a token, and one that allows everything (for
//! forward auth over HTTP, by nginx and by Envoy), and the embedded decision point. Also measures
//! the start with a large database, the memory of the trial server, and the latency of the Control
//! Panel's pages.
//!
//! `http PROGRAM [LOAD [CONNECTIONS]]`: the path of the release binary; a single load, one of
//! checks, tokens, introspection, evaluations, forward-auth, nginx, envoy and inside; the number of
//! connections. `http PROGRAM hold FILE` and `http compare FILE FILE` compare two builds.

mod bare;
mod builds;
mod client;
mod envoy;
mod inside;
mod nginx;
mod pages;
mod requests;
mod server;
mod turns;

use std::path::Path;

use tokio::net::TcpStream;

use bare::Bare;
use client::{Anyhow, exchange, load};
use requests::{Requests, readdressed, token_request};
use server::Server;
use turns::{ROUNDS, Turns};

#[tokio::main]
async fn main() -> Anyhow<()> {
    let argument = std::env::args().nth(1).ok_or("usage: http PROGRAM")?;
    let program = Path::new(&argument);
    let rest: Vec<String> = std::env::args().skip(2).collect();
    match (argument.as_str(), rest.as_slice()) {
        ("bare", []) => return bare::serve().await,
        ("compare", [one, other]) => return builds::compare(one, other).await,
        (_, [hold, file]) if hold == "hold" => return builds::hold(program, file).await,
        (_, [load, ..]) => return large(program, 10_000, Some(load)).await,
        (_, []) => {}
    }
    server::resident(program)?;
    for count in [10_000, 100_000] {
        large(program, count, None).await?;
    }
    Ok(())
}

/// Measures a server with many service accounts and policies: everything, or one load.
async fn large(program: &Path, count: usize, only: Option<&str>) -> Anyhow<()> {
    let server = Server::start(program, count).await?;
    let mut stream = TcpStream::connect(server.address).await?;
    let first = exchange(&mut stream, &token_request(0)).await?;
    let first_token = server.started.elapsed();
    if !first.contains("access_token") {
        return Err(first.into());
    }
    println!(
        "{count} service accounts and policies: ready after {:?}, first token after {first_token:?}",
        server.ready
    );
    if count == 10_000 && only.is_none() {
        pages::measure(&mut stream, &server.password).await?;
    }
    let requests = Requests::make(&mut stream, &server.credentials, count).await?;
    let bare = Bare::start()?;
    let wanted = |what: &str| only.is_none_or(|only| only == what);
    compare_over_http(&server, &bare, &requests, wanted).await?;
    if wanted("nginx") {
        compare_behind_nginx(&server, &bare, &requests).await?;
    }
    if wanted("envoy") {
        let mut turns = Turns::beside("bare server");
        for _ in 0..ROUNDS {
            let mine = envoy::load(server.grpc, &requests.envoy).await?;
            turns.add(mine, envoy::load(bare.grpc, &requests.envoy).await?);
        }
        println!("  envoy: {turns}");
    }
    if wanted("inside") {
        let Requests { callers, checks, .. } = &requests;
        let credentials = server.credentials.clone();
        let (inside, check) = inside::compare(server.address, credentials, callers, checks).await?;
        println!("  in process: {:.2} µs each, a check over HTTP {check:.0} µs", 1e6 / inside);
    }
    Ok(())
}

async fn compare_over_http(
    server: &Server,
    bare: &Bare,
    requests: &Requests,
    wanted: impl Fn(&str) -> bool,
) -> Anyhow<()> {
    for (what, requests, path) in [
        ("checks", &requests.checks, "/constant"),
        ("tokens", &requests.tokens, "/token"),
        ("introspection", &requests.introspections, "/constant"),
        ("evaluations", &requests.evaluations, "/constant"),
        ("forward-auth", &requests.forwarded, "/allowed"),
    ] {
        if !wanted(what) {
            continue;
        }
        let to_bare = readdressed(requests, path);
        let mut turns = Turns::beside("bare server");
        for _ in 0..ROUNDS {
            let mine = load(server.address, requests).await?;
            turns.add(mine, load(bare.address, &to_bare).await?);
        }
        println!("  {what}: {turns}");
    }
    Ok(())
}

async fn compare_behind_nginx(server: &Server, bare: &Bare, requests: &Requests) -> Anyhow<()> {
    let mine = nginx::Guarded::start(server.address, "/forward-auth/nginx/benchmark").await?;
    let others = nginx::Guarded::start(bare.address, "/allowed").await?;
    let mut turns = Turns::beside("bare server");
    for _ in 0..ROUNDS {
        let guarded = load(mine.address, &requests.guarded).await?;
        turns.add(guarded, load(others.address, &requests.guarded).await?);
    }
    println!("  nginx: {turns}");
    Ok(())
}
