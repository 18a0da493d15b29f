//! A server under attack, what the honest caller meets meanwhile, and what the server takes.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatewright_benchmarks::ACCOUNT;
use gatewright_benchmarks::client::Anyhow;
use gatewright_benchmarks::server::{Account, Installation, Server};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::administration;
use crate::attacker::{Attack, Attacker, Tasks};
use crate::honest::{Honest, Service};
use crate::report::Report;

/// Sizes of logs in MiB that an attack can reach, so that what trims them is attacked as well.
const LOG_SIZES: [&str; 4] = ["--max-log-size", "64", "--max-total-log-size", "128"];

/// The factor by which the median of honest requests may be longer than quiet.
const FACTOR: f64 = 3.0;
/// The median that is always good enough, in milliseconds. Quiet, a request takes a fraction of a
/// millisecond, most of which is the waking of threads; with as many busy threads as cores, a thread
/// may wait for its turn as long as the scheduler lets others run, whatever the server does.
const FLOOR: f64 = 2.0;
/// The same in a short run, which is made of a server that is not optimised and takes ten times as long, on
/// machines that do other work: only a caller who is hardly served is found there.
const SHORT_FLOOR: f64 = 2_000.0;
/// The duration of an attack below which a run is short.
const SHORT: Duration = Duration::from_secs(10);

/// The most memory that the server may have under an attack, in kilobytes.
const MEMORY: u64 = 512_000;
/// The same in a short run: the allocator of a server that is not built for use gives little back, so
/// that the attacks add up.
const SHORT_MEMORY: u64 = 1_500_000;
/// The most that the files of the installation may grow by in one attack, in bytes. It also protects
/// the machine: an attack is ended once it is reached.
const DISK: u64 = 2_000_000_000;
/// The factor by which the memory may be larger in the end than before, beside what the caches of tokens,
/// owners and accounts may keep (docs/limits.md), in kilobytes.
const KEPT_FACTOR: u64 = 2;
const CACHES: u64 = (128 + 16 + 16) * 1_024;

/// The time that an attack has to begin.
const LONGEST_PREPARATION: Duration = Duration::from_secs(30);

/// The rest after an attack, and after all of them, where that is not short as well.
const PAUSE: Duration = Duration::from_secs(3);
const REST: Duration = Duration::from_secs(15);

/// A server, an honest caller and an attacker.
pub(crate) struct Measurement {
    honest: Honest,
    victim: Account,
    attacker: Account,
    /// The duration of an attack.
    time: Duration,
    /// The memory before all attacks, in kilobytes.
    memory: u64,
    server: Server,
    installation: Installation,
}

/// The resources that the server has taken.
struct Footprint {
    /// In kilobytes.
    memory: u64,
    /// In bytes.
    disk: u64,
}

impl Measurement {
    pub(crate) async fn start(program: &Path, time: Duration, report: &mut Report) -> Anyhow<Self> {
        let installation = Installation::create(program)?;
        let victim = installation.create_account(ACCOUNT)?;
        let server = installation.start(&LOG_SIZES)?;
        let attacker = installation.create_account("yy22222-ovh")?;
        let honest = Honest::prepare(&server, &victim).await?;
        let mut measurement =
            Self { honest, victim, attacker, time, memory: 0, server, installation };
        // The first requests load the accounts.
        measurement.honest.ask(measurement.quiet_time()).await??;
        let Footprint { memory, disk } = measurement.footprint()?;
        measurement.memory = memory;
        let disk = disk / 1_000_000;
        report.add("before all attacks", format!("memory {} MB, files {disk} MB", memory / 1_000));
        Ok(measurement)
    }

    /// Measures honest requests without and with an attack.
    pub(crate) async fn endure(&self, attack: &Attack, report: &mut Report) -> Anyhow<()> {
        let name = attack.name;
        let quiet = self.honest.ask(self.quiet_time()).await??;
        let attacker = Arc::new(Attacker::new(&self.server.address, &self.attacker, &self.victim)?);
        let mut tasks = Tasks::new();
        let before = self.footprint()?;
        (attack.launch)(&attacker, &mut tasks);
        let (what, least) = attack.heard;
        // A tenth is enough for a moment, on a machine that may be slow.
        let least = if self.is_short() { least.div_ceil(10) } else { least };
        let launched = Instant::now();
        while attacker.has_heard(what) == 0 && launched.elapsed() < LONGEST_PREPARATION {
            sleep(Duration::from_millis(20)).await;
        }
        let honest = self.honest.ask(self.time);
        let most = self.watch(name, &before, &honest, &mut tasks, report).await?;
        let attacked = honest.await?;
        tasks.shutdown().await;
        report.add(format!("{name}: the attacker heard"), attacker.to_string());
        let heard = attacker.has_heard(what);
        if heard < least {
            let what = what.join(", ");
            report.fail(format!(
                "{name}: it heard {what} {heard} times, not {least}: it did nothing"
            ));
        }
        match attacked {
            Ok(attacked) => compare(name, &quiet, &attacked, self.floor(), report),
            Err(error) => report.fail(format!("{name}: the honest caller got no token: {error}")),
        }
        if let Err(error) = administration::clean_up(&attacker).await {
            report.fail(format!("{name}: {error}"));
        }
        sleep(PAUSE.min(self.time / 2)).await;
        let after = self.footprint()?;
        self.check_kept(name, after.memory, report);
        report.add(
            format!("{name}: memory before, at most, and after"),
            shown([&before, &most, &after], |usage| usage.memory / 1_000),
        );
        report.add(
            format!("{name}: files before, at most, and after"),
            shown([&before, &most, &after], |usage| usage.disk / 1_000_000),
        );
        Ok(())
    }

    /// Waits until the honest caller is done; returns the most that the server has taken. Ends the
    /// attack before if that is too much.
    async fn watch(
        &self,
        name: &str,
        before: &Footprint,
        honest: &JoinHandle<Anyhow<Vec<Service>>>,
        tasks: &mut Tasks,
        report: &mut Report,
    ) -> Anyhow<Footprint> {
        let mut most = Footprint { memory: 0, disk: 0 };
        while !honest.is_finished() {
            sleep(Duration::from_millis(250)).await;
            let now = self.footprint()?;
            most.memory = most.memory.max(now.memory);
            most.disk = most.disk.max(now.disk);
            let grown = now.disk.saturating_sub(before.disk);
            if (now.memory > self.most_memory() || grown > DISK) && !tasks.is_empty() {
                let (memory, grown) = (now.memory / 1_000, grown / 1_000_000);
                report.fail(format!("{name}: memory {memory} MB, files grew by {grown} MB"));
                tasks.shutdown().await;
            }
            // A task of an attack ends only by the server's mistake.
            while let Some(ended) = tasks.try_join_next() {
                let error = ended?.err().map_or("it ended".to_owned(), |error| error.to_string());
                report.fail(format!("{name}: {}", error.get(..500).unwrap_or(&error)));
            }
        }
        Ok(most)
    }

    /// Checks, after a rest, that the memory was given back.
    pub(crate) async fn rest(&self, report: &mut Report) -> Anyhow<()> {
        sleep(REST.min(2 * self.time)).await;
        let Footprint { memory, disk } = self.footprint()?;
        let (now, disk) = (memory / 1_000, disk / 1_000_000);
        report.add("after all attacks", format!("memory {now} MB, files {disk} MB"));
        self.check_kept("all attacks", memory, report);
        Ok(())
    }

    /// Checks that the memory that an attack took was given back, but for what caches may keep. The
    /// allocator of a server that is not built for use keeps more.
    fn check_kept(&self, name: &str, memory: u64, report: &mut Report) {
        let bound = KEPT_FACTOR * self.memory + CACHES;
        if memory > bound && !self.is_short() {
            report.fail(format!("after {name}: memory {memory} kB, more than {bound} kB"));
        }
    }

    /// Returns the median that is always good enough.
    fn floor(&self) -> f64 {
        if self.is_short() { SHORT_FLOOR } else { FLOOR }
    }

    /// Returns the most memory that the server may have, in kilobytes.
    fn most_memory(&self) -> u64 {
        if self.is_short() { SHORT_MEMORY } else { MEMORY }
    }

    fn is_short(&self) -> bool {
        self.time < SHORT
    }

    /// Returns the duration of a measurement without an attack.
    fn quiet_time(&self) -> Duration {
        if self.is_short() { self.time / 2 } else { SHORT }
    }

    fn footprint(&self) -> Anyhow<Footprint> {
        let (memory, disk) = (self.server.process.memory()?, self.installation.disk()?);
        Ok(Footprint { memory, disk })
    }
}

/// Writes what the server had taken three times, in megabytes.
fn shown(footprints: [&Footprint; 3], of: impl Fn(&Footprint) -> u64) -> String {
    let [before, most, after] = footprints.map(of);
    format!("{before}, {most} and {after} MB")
}

/// Compares honest requests under an attack with those before it.
fn compare(name: &str, quiet: &[Service], attacked: &[Service], floor: f64, report: &mut Report) {
    for (quiet, service) in quiet.iter().zip(attacked) {
        let what = service.kind.name();
        let (median, before) = (service.at(50), quiet.at(50));
        report.add(
            format!("{name}: {what} of another account"),
            format!(
                "{} answered, {} lost; median {median:.2} ms, quiet {before:.2} ms: {:.1} times; \
                 p99 {:.1} ms, quiet {:.1} ms",
                service.count(),
                service.lost.len(),
                median / before,
                service.at(99),
                quiet.at(99),
            ),
        );
        if let Some(first) = service.lost.first() {
            let count = service.lost.len();
            report.fail(format!("{name}: {count} {what} were lost, the first by: {first}"));
        }
        if service.kind.is_compared() && median > floor.max(FACTOR * before) {
            report.fail(format!("{name}: {what} took {median:.2} ms instead of {before:.2} ms"));
        }
    }
}
