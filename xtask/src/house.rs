//! Checks the rules of the house: dependencies of crates and modules, circles of files, purity,
//! words, comments, lengths, the generated parts of documents, and what documents on security name.
//!
//! The rules themselves are in [`rules`]. The checks parse the sources, so they need no compiled
//! program.

mod circles;
mod comments;
mod crates;
mod edges;
mod evidence;
mod floors;
mod lengths;
mod listing;
mod mention;
mod modules;
mod purity;
mod rules;
mod source;
mod words;

use std::fmt::Write;
use std::path::Path;

use circles::Circle;
use crates::Target;
use lengths::Lengths;
use modules::Crate;
use rules::Rule;
use source::Sources;

/// A violation of a rule.
struct Fault {
    rule: Rule,
    package: String,
    text: String,
}

impl Fault {
    fn counts(&self) -> bool {
        let excused = |(rule, package): &(Rule, &str)| {
            *rule == self.rule && (*package == "*" || *package == self.package)
        };
        !rules::NOT_YET.iter().any(excused)
    }
}

/// Returns an error if the repository violates a rule.
pub(crate) fn check(root: &Path) -> Result<(), String> {
    outcome(&House::read(root)?.faults(root))
}

fn outcome(faults: &[Fault]) -> Result<(), String> {
    let counting: Vec<&str> =
        faults.iter().filter(|fault| fault.counts()).map(|fault| fault.text.as_str()).collect();
    if counting.is_empty() {
        Ok(())
    } else {
        Err(format!("the house:\n  {}", counting.join("\n  ")))
    }
}

/// Runs `cargo xtask house`: prints every fault, including those that are not enforced yet. With
/// `--write` it renews the documents first; with `--lengths` it prints only the lengths of the
/// code.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), String> {
    let house = House::read(root)?;
    let has = |wanted: &str| arguments.iter().any(|argument| argument == wanted);
    if has("--lengths") {
        println!("{}", house.length_table());
        return Ok(());
    }
    if has("--write") {
        house.write(root)?;
    }
    let faults = house.faults(root);
    for fault in faults.iter().filter(|fault| !fault.counts()) {
        println!("{:?} (not yet): {}", fault.rule, fault.text);
    }
    outcome(&faults)
}

/// The inputs of the checks.
struct House {
    metadata: serde_json::Value,
    targets: Vec<Target>,
    sources: Sources,
    crates: Vec<Crate>,
    lengths: Vec<Lengths>,
    /// The document with the points of OWASP ASVS.
    points: String,
}

impl House {
    fn read(root: &Path) -> Result<Self, String> {
        let metadata = crates::metadata(root, "Cargo.toml")?;
        let mut targets = crates::targets(root, &metadata);
        for beside in ["benchmarks/Cargo.toml", "fuzz/Cargo.toml"] {
            targets.extend(crates::targets(root, &crates::metadata(root, beside)?));
        }
        let sources = Sources::read(root)?;
        let read = |target: &Target| Crate::read(&sources, &target.package, &target.root);
        let crates = targets.iter().map(read).collect::<Result<_, _>>()?;
        let lengths = lengths::measure(&sources);
        let points = std::fs::read_to_string(root.join(evidence::POINTS)).unwrap_or_default();
        Ok(Self { metadata, targets, sources, crates, lengths, points })
    }

    fn faults(&self, root: &Path) -> Vec<Fault> {
        let crates = crates::faults(&self.metadata).into_iter();
        let mut faults: Vec<Fault> =
            crates.map(|text| Fault { rule: Rule::Crates, package: String::new(), text }).collect();
        for one in &self.crates {
            faults.extend(faults_of_crate(one));
        }
        let of_file = |rule| {
            move |(file, text): (String, String)| Fault { rule, package: self.package(&file), text }
        };
        let words = words::faults(&self.sources, rules::BANNED, rules::WORDS);
        faults.extend(words.into_iter().map(of_file(Rule::Words)));
        let words = words::faults_in_texts(&self.sources.texts, rules::BANNED, rules::WORDS);
        faults.extend(words.into_iter().map(of_file(Rule::Words)));
        let riddles = comments::faults(&self.sources);
        faults.extend(riddles.into_iter().map(of_file(Rule::Comments)));
        let long = lengths::faults(&self.lengths, rules::LONG);
        faults.extend(long.into_iter().map(of_file(Rule::Length)));
        faults.extend(self.evidence(root));
        for (file, name, part) in self.generated() {
            let text = std::fs::read_to_string(root.join(file)).unwrap_or_default();
            if listing::replaced(&text, name, &part).is_none_or(|new| new != text) {
                let text = format!(
                    "{file}: the part between the marks of {name} is missing or out of date: \
                     run `cargo xtask house --write`"
                );
                faults.push(Fault { rule: Rule::Generated, package: file.into(), text });
            }
        }
        faults
    }

    /// Finds what the documents on security claim and is not so.
    fn evidence(&self, root: &Path) -> Vec<Fault> {
        let mut faults = Vec::new();
        let fault = |document: &str, text: String| Fault {
            rule: Rule::Evidence,
            package: document.into(),
            text: format!("{document}:{text}"),
        };
        for document in evidence::DOCUMENTS {
            let text = std::fs::read_to_string(root.join(document)).unwrap_or_default();
            let missing = evidence::missing(&text, &self.sources, &|path| root.join(path).exists());
            faults.extend(missing.into_iter().map(|text| fault(document, text)));
        }
        let wrong = evidence::wrong_points(&self.points).into_iter();
        faults.extend(wrong.map(|text| fault(evidence::POINTS, text)));
        faults
    }

    /// Returns the package of a file: that of the nearest crate root.
    fn package(&self, file: &str) -> String {
        let folder = |target: &Target| target.root.rsplit_once('/').map(|(folder, _)| folder.len());
        let near = self.targets.iter().filter(|target| {
            target.root.rsplit_once('/').is_some_and(|(folder, _)| file.starts_with(folder))
        });
        let nearest = near.max_by_key(|target| folder(target));
        nearest.map_or_else(String::new, |target| target.package.clone())
    }

    /// Returns the generated parts of documents: the document, the name of the part, its text.
    fn generated(&self) -> [(&'static str, &'static str, String); 3] {
        let crates: Vec<&Crate> = self.product().into_iter().map(|(_, one)| one).collect();
        [
            ("ARCHITECTURE.md", "modules", listing::list(&crates, rules::MODULES)),
            ("docs/code.md", "lengths", self.length_table()),
            (evidence::POINTS, "points", evidence::counts(&self.points)),
        ]
    }

    /// Returns the crates of the server except those for tests, the top floor first.
    fn product(&self) -> Vec<(&Target, &Crate)> {
        let floor = |package: &str| rules::CRATES.iter().position(|(name, _)| *name == package);
        let both = self.targets.iter().zip(&self.crates);
        let mut product: Vec<_> = both.filter(|(target, _)| is_product(target)).collect();
        product.sort_by_key(|(target, _)| floor(&target.package));
        product
    }

    fn write(&self, root: &Path) -> Result<(), String> {
        for (file, name, part) in self.generated() {
            let failed = |error: std::io::Error| format!("{file}: {error}");
            let text = std::fs::read_to_string(root.join(file)).map_err(failed)?;
            // A document without the marks is reported by the check.
            if let Some(new) = listing::replaced(&text, name, &part) {
                std::fs::write(root.join(file), new).map_err(failed)?;
            }
        }
        Ok(())
    }

    fn length_table(&self) -> String {
        let packages = self.product().into_iter().filter_map(|(target, _)| {
            let (folder, _) = target.root.rsplit_once('/')?;
            Some((target.package.as_str(), folder))
        });
        lengths::table(&self.lengths, &packages.collect::<Vec<_>>())
    }
}

/// Checks whether a target is part of the server: any of the crates except those for tests.
fn is_product(target: &Target) -> bool {
    !target.beside && target.root.starts_with("crates/") && target.package != "gatewright-testing"
}

fn faults_of_crate(one: &Crate) -> Vec<Fault> {
    let fault = |rule, text| Fault { rule, package: one.package.clone(), text };
    let edges = edges::edges(one);
    let circles = circles::circles(&edges, rules::ONE_THING);
    let circles = circles.iter().map(|circle| fault(Rule::Circle, describe(circle)));
    let tables = rules::MODULES.iter().filter(|table| table.package == one.package);
    let tables = tables.filter(|_| one.root.ends_with("src/lib.rs"));
    let modules = tables.flat_map(|table| floors::faults(one, &edges, table));
    let modules = modules.map(|text| fault(Rule::Modules, text));
    let purity = purity::faults(one, rules::PURE).into_iter();
    let purity = purity.map(|text| fault(Rule::Purity, text));
    circles.chain(modules).chain(purity).collect()
}

fn describe(circle: &Circle) -> String {
    let files = circle.files.iter().map(String::as_str).collect::<Vec<_>>();
    let mut text = format!("{} files in a circle: {}", files.len(), files.join(", "));
    for edge in &circle.edges {
        let _ = write!(text, "\n    {}:{} uses {} ({})", edge.from, edge.line, edge.to, edge.path);
    }
    text
}

#[cfg(test)]
mod tests;
