//! Measures how old the answers of a node are that is far from its PostgreSQL, while other accounts
//! change.
//!
//! `freshness PROGRAM [SECONDS]` prints one JSON object of measurements, and fails if an answer was
//! older than a second, one in a hundred older than 150 ms, or one refused.
//! `GATEWRIGHT_TEST_POSTGRES` names a PostgreSQL server on which databases may be created.

mod load;
mod node;
mod turn;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatewright_benchmarks::client::Anyhow;
use gatewright_testing::{Relay, TestDatabase};
use serde_json::{Map, Value};

use load::{Accounts, Load, Pace};
use node::Installation;
use turn::{Answers, Turns};

/// The distances from the far node to its database, each way.
const DISTANCES: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(1), Duration::from_millis(5), Duration::from_millis(20)];

/// The number of accounts that change; the far node holds all in memory.
const ACCOUNTS: usize = 300;

#[tokio::main]
async fn main() -> Anyhow<()> {
    let mut arguments = std::env::args().skip(1);
    let program = arguments.next().ok_or("usage: freshness PROGRAM [SECONDS]")?;
    let seconds = arguments.next().map_or(Ok(10), |text| text.parse())?;
    let database = TestDatabase::postgres_if_any().await.ok_or("no PostgreSQL server is named")?;
    let installation = Installation::create(Path::new(&program), &database.address)?;
    let relay = Relay::to(&database.address).await;
    let near = installation.start(&database.address)?;
    let far = installation.start(&relay.url(&database.address))?;
    let accounts = Arc::new(Accounts::create(&database.address, &far, ACCOUNTS).await?);
    let mut turns = Turns::connect(&installation, &near, &far).await?;
    let mut figures = Map::new();
    let mut failures = Vec::new();
    for distance in DISTANCES {
        relay.delay(distance);
        for pace in [Pace::None, Pace::PerSecond(300), Pace::PerSecond(1_000), Pace::Unlimited] {
            let load = Load::start(&accounts, pace);
            let answers = measure(&mut turns, Duration::from_secs(seconds)).await?;
            let changes = load.stop().await? / seconds;
            let name = format!("{} ms, {pace}", distance.as_millis());
            eprintln!("{name}: {answers}, {changes} changes/s");
            failures.extend(answers.check().err().map(|failure| format!("{name}: {failure}")));
            figures.insert(name, Value::String(format!("{answers}, {changes} changes/s")));
        }
    }
    println!("{}", Value::Object(figures));
    if failures.is_empty() { Ok(()) } else { Err(failures.join("; ").into()) }
}

/// Takes turns for some time.
async fn measure(turns: &mut Turns, time: Duration) -> Anyhow<Answers> {
    let mut answers = Answers::default();
    let end = Instant::now() + time;
    while Instant::now() < end {
        turns.take(&mut answers).await?;
    }
    Ok(answers)
}
