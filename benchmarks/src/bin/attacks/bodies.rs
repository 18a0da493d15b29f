//! Bodies that are announced and never finished.

use std::sync::Arc;

use gatewright_benchmarks::client::Anyhow;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::administration;
use crate::attacker::{Attacker, Tasks};
use crate::passwords;

/// More than one address may have, and few enough for the descriptors of this program.
const CONNECTIONS: usize = 900;
const FORMS: usize = 300;
const LENGTH: usize = 2_000_000;

/// Announces bodies, and sends nothing of them.
pub(crate) fn endless(attacker: &Arc<Attacker>, tasks: &mut Tasks) {
    let attacker = Arc::clone(attacker);
    tasks.spawn(async move {
        let bearer = administration::bearer(&attacker).await?;
        let token = head("/auth/oauth2/token", "Accept: */*", 50_000);
        let sign_in = head("/sign-in", "Cookie: gatewright-form=x", 50_000);
        let policy = head("/v2/iam/policy", &bearer, 50_000);
        hold_all(&attacker, CONNECTIONS, &[token, sign_in, policy].map(Arc::from)).await
    });
}

/// Sends large bodies but for their last byte: forms of a session, and requests with a token.
pub(crate) fn unfinished(attacker: &Arc<Attacker>, tasks: &mut Tasks) {
    let attacker = Arc::clone(attacker);
    tasks.spawn(async move {
        let session = passwords::sign_in(&attacker).await?;
        let bearer = administration::bearer(&attacker).await?;
        let body = |beginning: &str| format!("{beginning}{}", "x".repeat(LENGTH - 200));
        let (form, policy) = (body(&format!("form={}&name=", session.proof)), body(""));
        let form = head("/policies/create", &session.headers(), LENGTH) + &form;
        let policy = head("/v2/iam/policy", &bearer, LENGTH) + &policy;
        hold_all(&attacker, FORMS, &[form, policy].map(Arc::from)).await
    });
}

/// Holds as many connections with what is begun, in turn.
pub(crate) async fn hold_all(
    attacker: &Arc<Attacker>,
    count: usize,
    begun: &[Arc<str>],
) -> Anyhow<()> {
    let mut tasks = Tasks::new();
    for begun in begun.iter().cycle().take(count) {
        tasks.spawn(hold(Arc::clone(attacker), Arc::clone(begun)));
    }
    tasks.join_next().await.map_or(Ok(()), |ended| ended?)
}

fn head(path: &str, header: &str, length: usize) -> String {
    let length = format!("Content-Length: {length}");
    format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n{length}\r\n\r\n")
}

/// Sends what is begun, and waits until the server ends the connection; then begins again.
async fn hold(attacker: Arc<Attacker>, begun: Arc<str>) -> Anyhow<()> {
    loop {
        let mut stream = attacker.connect().await;
        let (mut reader, mut writer) = stream.split();
        let mut said = Vec::new();
        // Both at once: a refusal may come before everything is sent.
        let (_, _) =
            tokio::join!(writer.write_all(begun.as_bytes()), reader.read_to_end(&mut said));
        if !said.is_empty() {
            attacker.judge(&said)?;
        }
        attacker.pause("closed").await;
    }
}
