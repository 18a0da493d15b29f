//! Sign-ins, and wrong passwords.

use std::sync::Arc;

use gatewright_benchmarks::client::{Anyhow, request};

use crate::attacker::{Attacker, Tasks};
use crate::connection::{AttackConnection, Reply};

const CONNECTIONS: usize = 200;

/// The cookies and fields that a browser has from the server.
pub(crate) struct Session {
    cookies: String,
    /// The CSRF token.
    pub(crate) proof: String,
}

impl Session {
    /// Returns the headers of a form.
    pub(crate) fn headers(&self) -> String {
        format!("Content-Type: application/x-www-form-urlencoded\r\nCookie: {}", self.cookies)
    }
}

/// Signs in as the attacker's owner.
pub(crate) async fn sign_in(attacker: &Arc<Attacker>) -> Anyhow<Session> {
    let mut line = AttackConnection::new(attacker);
    let stranger = open_page(&mut line, "/sign-in", "").await?.ok_or("no page")?;
    let (name, password) = (&attacker.account.name, &attacker.account.password);
    let reply = try_password(&mut line, &stranger, name, password).await?.ok_or("no answer")?;
    if reply.status != 303 {
        return Err(String::from_utf8_lossy(&reply.text).into());
    }
    let cookies = format!("{}; {}", stranger.cookies, cookies(&reply));
    let page = open_page(&mut line, "/policies/create", &cookies).await?.ok_or("no page")?;
    Ok(Session { cookies, proof: page.proof })
}

/// Tries wrong passwords, half of them for the honest caller's owner.
pub(crate) fn launch(attacker: &Arc<Attacker>, tasks: &mut Tasks) {
    for number in 0..CONNECTIONS {
        tasks.spawn(guess(Arc::clone(attacker), number));
    }
}

async fn guess(attacker: Arc<Attacker>, number: usize) -> Anyhow<()> {
    let mut line = AttackConnection::new(&attacker);
    let session = loop {
        if let Some(session) = open_page(&mut line, "/sign-in", "").await? {
            break session;
        }
    };
    for turn in 0_u64.. {
        let login = match number % 2 {
            0 => attacker.victim.name.clone(),
            _ => format!("zz{number}{turn}-ovh"),
        };
        try_password(&mut line, &session, &login, &format!("wrong-{number}-{turn}")).await?;
    }
    Ok(())
}

async fn try_password(
    line: &mut AttackConnection,
    session: &Session,
    login: &str,
    password: &str,
) -> Anyhow<Option<Reply>> {
    let form = format!("form={}&login={login}&password={password}", session.proof);
    line.send(request("/sign-in", &session.headers(), &form).as_bytes()).await
}

/// Reads a page with a form; none if the server refused it.
async fn open_page(
    line: &mut AttackConnection,
    path: &str,
    cookies: &str,
) -> Anyhow<Option<Session>> {
    let get = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookies}\r\n\r\n");
    let Some(reply) = line.send(get.as_bytes()).await? else { return Ok(None) };
    if reply.status != 200 {
        return Ok(None);
    }
    let page = std::str::from_utf8(&reply.text)?;
    let (_, proof) = page.split_once("name=\"form\" value=\"").ok_or("no form")?;
    let (proof, _) = proof.split_once('"').ok_or("no form")?;
    Ok(Some(Session { cookies: self::cookies(&reply), proof: proof.to_owned() }))
}

/// Returns the cookies that an answer sets.
fn cookies(reply: &Reply) -> String {
    let text = String::from_utf8_lossy(&reply.text);
    let set = text.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
    let pairs = set.filter_map(|cookie| cookie.split_once(';')).map(|(pair, _)| pair);
    pairs.collect::<Vec<_>>().join("; ")
}
