//! Attacks a server, and checks that another caller is served as if nothing happened, and that
//! memory and disk stay bounded.
//!
//! `attacks PROGRAM [SECONDS [ATTACK]]`: the path of the program; the duration of each attack, 10
//! by default; a part of the name of the only attacks to make. Prints one JSON object of
//! measurements, also if a check fails. Everything stays on this machine. The attacker is an account
//! of its own at an address of its own, 127.0.0.2, and all limits are the defaults, but for the
//! sizes of logs.

mod administration;
mod apis;
mod attacker;
mod bodies;
mod checks;
mod connection;
mod flood;
mod frames;
mod heads;
mod honest;
mod measurement;
mod passwords;
mod policies;
mod readers;
mod refusals;
mod report;
mod secrets;

use std::path::Path;
use std::time::Duration;

use gatewright_benchmarks::client::Anyhow;

use attacker::{Attack, CONNECTED};
use measurement::Measurement;
use report::Report;

const ATTACKS: &[Attack] = &[
    Attack {
        name: "valid tokens and checks without a pause",
        launch: flood::launch,
        heard: (&["200"], 100),
    },
    Attack {
        name: "costly policies, and checks that hang up",
        launch: checks::costly,
        heard: (&["200", "503", "hung up"], 5),
    },
    Attack {
        name: "costly single checks over 300 connections",
        launch: checks::costly_singles,
        heard: (&["costly checks"], 20),
    },
    Attack {
        name: "huge URNs",
        launch: checks::huge_urns,
        heard: (&["200", "400", "413", "429"], 2),
    },
    Attack {
        name: "checks of 100,000 decisions",
        launch: checks::many_decisions,
        heard: (&["200", "400", "413", "503"], 2),
    },
    Attack { name: "bodies that never come", launch: bodies::endless, heard: (&[CONNECTED], 400) },
    Attack {
        name: "unfinished bodies of 2 MB",
        launch: bodies::unfinished,
        heard: (&[CONNECTED], 200),
    },
    Attack { name: "readers that never read", launch: readers::launch, heard: (&[CONNECTED], 300) },
    Attack {
        name: "200 wrong passwords at once",
        launch: passwords::launch,
        heard: (&["200", "401", "403", "429", "503"], 100),
    },
    Attack {
        name: "wrong secrets of another's client",
        launch: secrets::wrong,
        heard: (&["401", "429"], 100),
    },
    Attack {
        name: "refused requests with long paths",
        launch: secrets::long_paths,
        heard: (&["401", "404", "429"], 100),
    },
    Attack {
        name: "edits of large policies",
        launch: policies::edits,
        heard: (&["200", "429"], 3),
    },
    Attack {
        name: "bodies that are refused unread",
        launch: refusals::bodies,
        heard: (&["401", "404", "405", "429"], 50),
    },
    Attack {
        name: "nonsense",
        launch: refusals::nonsense,
        heard: (&["400", "413", "414", "431"], 20),
    },
    Attack {
        name: "large guarded APIs",
        launch: apis::launch,
        heard: (&["200", "400", "429", "503"], 3),
    },
    Attack { name: "unfinished heads", launch: heads::unfinished, heard: (&[CONNECTED], 400) },
    Attack { name: "heads a byte a second", launch: heads::slow, heard: (&[CONNECTED], 400) },
    Attack {
        name: "streams that are reset at once",
        launch: frames::reset_streams,
        heard: (&["streams"], 10_000),
    },
    Attack {
        name: "small frames of HTTP/2 without a pause",
        launch: frames::flood,
        heard: (&["frames"], 10_000),
    },
];

/// One thread makes the attacks, so that the honest caller, which has a thread of its own, and the
/// server have the rest of the machine.
#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Anyhow<()> {
    let mut arguments = std::env::args().skip(1);
    let program = arguments.next().ok_or("usage: attacks PROGRAM [SECONDS [ATTACK]]")?;
    let seconds = arguments.next().map_or(Ok(10), |text| text.parse())?;
    let only = arguments.next().unwrap_or_default();
    let mut report = Report::default();
    let measurement =
        Measurement::start(Path::new(&program), Duration::from_secs(seconds), &mut report).await?;
    for attack in ATTACKS.iter().filter(|attack| attack.name.contains(&only)) {
        measurement.endure(attack, &mut report).await?;
    }
    measurement.rest(&mut report).await?;
    report.finish()
}
