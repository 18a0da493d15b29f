//! Reads the Rust source files of the repository.

use std::collections::BTreeMap;
use std::path::Path;

use proc_macro2::TokenStream;

/// The folders of the repository with Rust code.
const FOLDERS: &[&str] = &["benchmarks", "clients", "crates", "examples", "fuzz", "xtask"];

/// The source files by their path from the root of the repository, with `/` between folders.
#[derive(Default)]
pub(crate) struct Sources(BTreeMap<String, Source>);

/// A source file, read once for all checks.
pub(crate) struct Source {
    pub(crate) lines: usize,
    pub(crate) tokens: TokenStream,
    pub(crate) syntax: syn::File,
}

impl Sources {
    /// Reads every `.rs` file below the folders that hold code.
    pub(crate) fn read(root: &Path) -> Result<Self, String> {
        let mut sources = Self::default();
        for folder in FOLDERS {
            sources.read_folder(root, folder)?;
        }
        Ok(sources)
    }

    /// Creates a tree of sources in memory.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let mut sources = Self::default();
        for (path, text) in files {
            sources.add((*path).into(), text).unwrap();
        }
        sources
    }

    fn read_folder(&mut self, root: &Path, folder: &str) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("{folder}: {error}");
        for entry in std::fs::read_dir(root.join(folder)).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{folder}/{name}");
            if entry.file_type().map_err(failed)?.is_dir() {
                if !matches!(name.as_str(), "target" | "node_modules") {
                    self.read_folder(root, &path)?;
                }
            } else if Path::new(&name).extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(entry.path()).map_err(failed)?;
                self.add(path, &text)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, path: String, text: &str) -> Result<(), String> {
        let tokens: TokenStream = text.parse().map_err(|error| format!("{path}: {error}"))?;
        let syntax = syn::parse2(tokens.clone()).map_err(|error| format!("{path}: {error}"))?;
        self.0.insert(path, Source { lines: text.lines().count(), tokens, syntax });
        Ok(())
    }

    pub(crate) fn get(&self, path: &str) -> Option<&Source> {
        self.0.get(path)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Source)> {
        self.0.iter().map(|(path, source)| (path.as_str(), source))
    }
}
