//! Measures the latency of the Control Panel's pages.

use std::time::Instant;

use gatewright_benchmarks::ACCOUNT;
use tokio::net::TcpStream;

use crate::client::{Anyhow, exchange, request};
use crate::turns::median;

/// Measures the largest pages of the Control Panel.
pub(crate) async fn measure(stream: &mut TcpStream, password: &str) -> Anyhow<()> {
    let cookie = |answer: &str| {
        let cookies = answer.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
        let pairs = cookies.filter_map(|cookie| cookie.split_once(';')).map(|(pair, _)| pair);
        pairs.collect::<Vec<_>>().join("; ")
    };
    let get = |path: &str, cookies: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookies}\r\n\r\n")
    };
    let asked = exchange(stream, &get("/sign-in", "")).await?;
    let form = cookie(&asked);
    let (_, proof) = asked.split_once("name=\"form\" value=\"").ok_or("no form")?;
    let (proof, _) = proof.split_once('"').ok_or("no form")?;
    let kind = "Content-Type: application/x-www-form-urlencoded";
    let body = format!("form={proof}&login={ACCOUNT}&password={password}");
    let signed_in = request("/sign-in", &format!("{kind}\r\nCookie: {form}"), &body);
    let cookies = format!("{form}; {}", cookie(&exchange(stream, &signed_in).await?));
    for path in [
        "/",
        "/service-accounts",
        "/service-accounts?search=benchmark&sort=-created&page=200",
        "/service-accounts/EU.0000000000000007",
        "/policies",
        "/policies?search=p-00&sort=-name",
        "/policies/create",
    ] {
        let mut times = Vec::new();
        for _ in 0..21 {
            let started = Instant::now();
            exchange(stream, &get(path, &cookies)).await?;
            times.push(started.elapsed().as_secs_f64() * 1e3);
        }
        println!("  {path}: {:.0} ms", median(times));
    }
    Ok(())
}
