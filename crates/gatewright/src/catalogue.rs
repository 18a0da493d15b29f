//! Implements `gatewright catalogue`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use gatewright_iam::{Catalogue, propose};

use crate::error::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print an OpenAPI document with proposed actions and resources, to be edited
    Propose(Propose),
    /// Check a folder of products and APIs, and print a summary
    Check(Check),
    /// Check an OpenAPI document or a product, and copy it into the folder for the next start
    Add(Add),
}

#[derive(Debug, Args)]
pub(crate) struct Propose {
    /// The OpenAPI document, in JSON or YAML
    file: PathBuf,
    /// The account that owns all resources behind the API
    #[arg(long)]
    account: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The folder
    folder: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The document
    file: PathBuf,
    /// The folder
    #[arg(long, env = "GATEWRIGHT_PRODUCTS", value_name = "FOLDER")]
    products: PathBuf,
}

pub(crate) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Propose(Propose { file, account }) => {
            let text = std::fs::read_to_string(&file).map_err(file_error(&file))?;
            let proposal = propose(&text, account.as_deref());
            let proposal = proposal.map_err(|error| {
                let message = error.to_string();
                Failure::Configuration { path: file, message }
            })?;
            println!("{}", proposal.trim_end());
        }
        Command::Check(Check { folder }) => print_summary(&Catalogue::load(false, Some(&folder))?),
        Command::Add(Add { file, products }) => {
            let name = file.file_name().unwrap_or_default();
            // Beside the others, where it would be, and only then among them.
            let trial = tempfolder(&products)?;
            for path in std::fs::read_dir(&products).map_err(file_error(&products))?.flatten() {
                let path = path.path();
                if path.is_file() && path.file_name() != Some(name) {
                    copy(&path, &trial.0)?;
                }
            }
            copy(&file, &trial.0)?;
            let catalogue = Catalogue::load(false, Some(&trial.0))?;
            copy(&file, &products)?;
            print_summary(&catalogue);
        }
    }
    Ok(())
}

/// Prints how much a catalogue declares.
fn print_summary(catalogue: &Catalogue) {
    println!("{} types, {} actions", catalogue.types().count(), catalogue.actions(None).len());
    for (name, operations) in catalogue.apis() {
        println!("API {name}: {operations} operations");
    }
}

fn file_error(path: &Path) -> impl FnOnce(std::io::Error) -> Failure {
    let path = path.to_owned();
    move |source| Failure::File { path, source }
}

fn copy(file: &Path, folder: &Path) -> Result<(), Failure> {
    let to = folder.join(file.file_name().unwrap_or_default());
    std::fs::copy(file, to).map(drop).map_err(file_error(file))
}

/// A folder within another that is removed in the end.
struct TemporaryFolder(PathBuf);

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn tempfolder(within: &Path) -> Result<TemporaryFolder, Failure> {
    let path = within.join(format!(".check-{}", std::process::id()));
    std::fs::create_dir(&path).map_err(file_error(&path))?;
    Ok(TemporaryFolder(path))
}
