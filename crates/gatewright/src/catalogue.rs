//! Implements `gatewright catalogue`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use gatewright_iam::{BuiltInProducts, Catalogue, propose};

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
        Command::Propose(propose) => print_proposal(propose),
        Command::Check(check) => {
            print_summary(&Catalogue::load(BuiltInProducts::LeftOut, Some(&check.folder))?);
            Ok(())
        }
        Command::Add(add) => add_document(&add),
    }
}

/// Prints an OpenAPI document with proposals.
fn print_proposal(Propose { file, account }: Propose) -> Result<(), Failure> {
    let text = std::fs::read_to_string(&file).map_err(file_error(&file))?;
    let proposal = propose(&text, account.as_deref()).map_err(|error| {
        let message = error.to_string();
        Failure::Configuration { path: file, message }
    })?;
    println!("{}", proposal.trim_end());
    Ok(())
}

/// Copies a document into the folder of products, if it fits the others there.
fn add_document(Add { file, products }: &Add) -> Result<(), Failure> {
    let name = file.file_name().unwrap_or_default();
    // Checked in a copy of the folder first: a server that starts meanwhile reads the old one.
    let copied = tempfile::Builder::new().prefix(".check-").tempdir_in(products);
    let copied = copied.map_err(file_error(products))?;
    for path in std::fs::read_dir(products).map_err(file_error(products))?.flatten() {
        let path = path.path();
        if path.is_file() && path.file_name() != Some(name) {
            copy(&path, copied.path())?;
        }
    }
    copy(file, copied.path())?;
    let catalogue = Catalogue::load(BuiltInProducts::LeftOut, Some(copied.path()))?;
    copy(file, products)?;
    print_summary(&catalogue);
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
