//! Comparison of two builds of the program, each started by the benchmarks of its own commit.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::client::{Anyhow, load};
use crate::requests::Requests;
use crate::server::Server;
use crate::turns::{ROUNDS, Turns};

/// The number of service accounts and policies.
const COUNT: usize = 10_000;

/// Starts a server, writes its address and the requests of its loads to a file, and keeps it
/// running until the process is ended.
pub(crate) async fn hold(program: &Path, file: &str) -> Anyhow<()> {
    let server = Server::start(program, COUNT).await?;
    let mut stream = TcpStream::connect(server.address).await?;
    let requests = Requests::make(&mut stream, &server.credentials, COUNT).await?;
    let held = json!({
        "address": server.address,
        "checks": requests.checks,
        "tokens": requests.tokens,
        "introspection": requests.introspections,
        "evaluations": requests.evaluations,
        "forward-auth": requests.forwarded,
    });
    fs::write(file, held.to_string())?;
    println!("{} is held, as {file} says", server.address);
    std::future::pending().await
}

/// Loads two servers that are held, in turns.
pub(crate) async fn compare(one: &str, other: &str) -> Anyhow<()> {
    let (one, other) = (read(one)?, read(other)?);
    for what in ["checks", "tokens", "introspection", "evaluations", "forward-auth"] {
        let (one, other) = (requests(&one, what)?, requests(&other, what)?);
        let mut turns = Turns::beside("the other build");
        for _ in 0..ROUNDS {
            let mine = load(one.0, &one.1).await?;
            turns.add(mine, load(other.0, &other.1).await?);
        }
        println!("  {what}: {turns}");
    }
    Ok(())
}

fn read(file: &str) -> Anyhow<Value> {
    Ok(serde_json::from_str(&fs::read_to_string(file)?)?)
}

/// Returns the address of a held server, and the requests of a load.
fn requests(held: &Value, what: &str) -> Anyhow<(SocketAddr, Vec<String>)> {
    let address = held["address"].as_str().ok_or("no address")?.parse()?;
    Ok((address, serde_json::from_value(held[what].clone())?))
}
