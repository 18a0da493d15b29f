//! Fills a log with lines, and measures how long it takes to find some by each filter.
//!
//! `logs [LINES] [ADDRESS]`: ten million lines in a new SQLite file by default. The times are those
//! of the store, and of reading the lines that may be meant.

use std::time::{Duration, Instant as Clock};

use gatewright_benchmarks::client::Anyhow;
use gatewright_policy::{AccountName, Instant};
use gatewright_store::{
    ActivityBatch, Author, Listing, LogPage, LogSpan, PageListing, Store, Term, TermFilter,
};
use serde_json::{Value, json};

const LINES: u64 = 10_000_000;
const LINES_OF_A_PAGE: u64 = 250;
const PAGES_OF_A_BATCH: usize = 200;
/// The time between two lines: a hundred a second.
const PAUSE: u64 = 10_000;
const KIND: &str = "decision";
/// The number of lines that are enough.
const MOST: usize = 50;
/// The numbers of different values; one line in a million is of a rare one.
const ACTORS: u64 = 1_000;
const ACTIONS: u64 = 300;
const RESOURCES: u64 = 200_000;
const RARE: u64 = 1_000_000;

/// The value of a field that is looked for: the key in the line, the letter of its terms, the value.
type Wanted = (&'static str, u8, String);

#[tokio::main]
async fn main() -> Anyhow<()> {
    let mut arguments = std::env::args().skip(1);
    let count = arguments.next().map_or(Ok(LINES), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let file = format!("sqlite:{}", folder.path().join("logs.db").display());
    let store = Store::open(&arguments.next().unwrap_or(file).parse()?).await?;
    let account = AccountName::new(gatewright_benchmarks::ACCOUNT);
    let author = Author {
        actor: "benchmark".to_owned(),
        ip: None,
        query_id: "benchmark".to_owned(),
        at: Instant::EPOCH,
    };
    store.create_account(&account, &author, &[]).await?;
    let started = Clock::now();
    fill(&store, &account, count).await?;
    println!("{count} lines written in {:.1} s", started.elapsed().as_secs_f64());
    let rare = count / 2 / RARE * RARE;
    let query = |number| ("queryId", b'q', query_id(number));
    let searches: [(&str, Vec<Wanted>); 10] = [
        ("the latest lines of a busy actor", vec![("who", b'a', actor(1))]),
        ("a rare actor", vec![("who", b'a', "rare-actor".to_owned())]),
        ("a rare action", vec![("what", b'w', "rare:action".to_owned())]),
        ("a resource", vec![("on", b'r', resource(count / 3))]),
        ("what was denied", vec![("outcome", b'o', "denied".to_owned())]),
        (
            "what was denied to an actor",
            vec![("who", b'a', actor(2)), ("outcome", b'o', "denied".to_owned())],
        ),
        ("the first query ID", vec![query(0)]),
        ("a query ID in the middle", vec![query(count / 2)]),
        ("a query ID that there is not", vec![query(count)]),
        ("a query ID of another actor", vec![query(rare), ("who", b'a', actor(3))]),
    ];
    println!(
        "| looked for | lines | pages listed | of them read | first time, ms | second time, ms |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    for (name, wanted) in searches {
        let first = search(&store, &account, &wanted).await?;
        let second = search(&store, &account, &wanted).await?;
        let Found { lines, listed, read, time } = first;
        let (one, two) = (time.as_secs_f64() * 1e3, second.time.as_secs_f64() * 1e3);
        println!("| {name} | {lines} | {listed} | {read} | {one:.1} | {two:.1} |");
    }
    store.close().await;
    Ok(())
}

fn actor(number: u64) -> String {
    let account = gatewright_benchmarks::ACCOUNT;
    format!("urn:v1:eu:identity:credential:{account}/oauth2-EU.{:016x}", number % ACTORS)
}

fn resource(number: u64) -> String {
    // Neighbours in time are not neighbours in name.
    format!("urn:v1:eu:resource:vps:vps-{:08}", number.wrapping_mul(2_654_435_761) % RESOURCES)
}

fn query_id(number: u64) -> String {
    format!(
        "EU.ext-{:032x}",
        u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
    )
}

/// Creates a line, with its values and their letters.
fn line(number: u64) -> (Value, [Wanted; 5]) {
    let is_rare = number % RARE == RARE / 3;
    let rare = |text: &str, usual: String| if is_rare { text.to_owned() } else { usual };
    let outcome = if number.is_multiple_of(20) { "denied" } else { "allowed" };
    let values = [
        ("who", b'a', rare("rare-actor", actor(number % 7 * number))),
        ("what", b'w', rare("rare:action", format!("vps:apiovh:action-{}", number % ACTIONS))),
        ("on", b'r', resource(number)),
        ("outcome", b'o', outcome.to_owned()),
        ("queryId", b'q', query_id(number)),
    ];
    let mut line = json!({
        "at": number * PAUSE, "allowed": outcome == "allowed", "reason": "allowed",
        "policy": "0190b3c4-7d1e-7a52-9f63-1c2d3e4f5a6b", "ip": "192.0.2.7",
    });
    for (key, _, value) in &values {
        line[*key] = value.clone().into();
    }
    (line, values)
}

fn instant(number: u64) -> Anyhow<Instant> {
    Ok(Instant::from_micros(i64::try_from(number * PAUSE)?))
}

async fn fill(store: &Store, account: &AccountName, count: u64) -> Anyhow<()> {
    let mut pages = Vec::new();
    let mut first = 0;
    while first < count {
        let next = (first + LINES_OF_A_PAGE).min(count);
        let (mut lines, mut terms) = (String::new(), Vec::new());
        for (line, values) in (first..next).map(line) {
            lines += &line.to_string();
            lines.push('\n');
            terms.extend(values.iter().map(|(_, letter, value)| Term::new(*letter, value)));
        }
        pages.push(LogPage {
            account: account.clone(),
            kind: KIND.to_owned(),
            first: instant(first)?,
            last: instant(next - 1)?,
            lines,
            terms: Some(TermFilter::of(terms)),
        });
        first = next;
        if pages.len() == PAGES_OF_A_BATCH || first >= count {
            let pages = std::mem::take(&mut pages);
            let batch = ActivityBatch { pages, ..ActivityBatch::default() };
            store.record_activity(&batch).await?;
        }
    }
    Ok(())
}

/// The result of a search, and its cost.
struct Found {
    lines: usize,
    listed: usize,
    read: usize,
    time: Duration,
}

/// Finds the latest lines with all of some values, as the use case does.
async fn search(store: &Store, account: &AccountName, wanted: &[Wanted]) -> Anyhow<Found> {
    let started = Clock::now();
    let terms: Vec<Term> =
        wanted.iter().map(|(_, letter, value)| Term::new(*letter, value)).collect();
    let fits = |line: &Value| wanted.iter().all(|(key, _, value)| line[*key] == **value);
    let (mut lines, mut listed, mut read) = (0, 0, 0);
    let mut before = Instant::MAX;
    'pages: loop {
        let span = LogSpan { account, kind: KIND, from: Instant::MIN, before };
        let pages: Vec<PageListing> = store.log_pages(span, Listing::Terms, 1_000).await?;
        let Some(end) = pages.last().map(|page| page.first) else { break };
        listed += pages.len();
        for page in pages.iter().filter(|page| page.may_have(&terms)) {
            read += 1;
            for text in store.log_lines((account, KIND), page).await? {
                for text in text.lines() {
                    lines += usize::from(fits(&serde_json::from_str(text)?));
                }
            }
            if lines >= MOST {
                break 'pages;
            }
        }
        before = end;
    }
    Ok(Found { lines, listed, read, time: started.elapsed() })
}
