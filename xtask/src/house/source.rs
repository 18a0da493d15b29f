//! Reads the source files of the repository.

use std::collections::BTreeMap;
use std::path::Path;

use proc_macro2::TokenStream;

/// The endings of the files in other languages whose identifiers are checked.
const OTHER_LANGUAGES: &[&str] = &["css", "ftl", "go", "html", "js", "py"];

/// The folders of the repository with code.
const FOLDERS: &[&str] = &["benchmarks", "clients", "crates", "examples", "fuzz", "xtask"];

/// The source files by their path from the root of the repository, with `/` between folders.
#[derive(Default)]
pub(crate) struct Sources {
    rust: BTreeMap<String, Source>,
    /// The files in other languages.
    pub(crate) texts: Vec<Text>,
}

/// A source file in another language.
pub(crate) struct Text {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A source file, read once for all checks.
pub(crate) struct Source {
    pub(crate) lines: usize,
    pub(crate) tokens: TokenStream,
    pub(crate) syntax: syn::File,
}

impl Sources {
    /// Reads every file below the folders that hold code.
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
                continue;
            }
            let Some((_, ending)) = name.rsplit_once('.') else { continue };
            let read = || std::fs::read_to_string(entry.path()).map_err(failed);
            if ending == "rs" {
                self.add(path, &read()?)?;
            } else if OTHER_LANGUAGES.contains(&ending) {
                self.texts.push(Text { path, text: read()? });
            }
        }
        Ok(())
    }

    fn add(&mut self, path: String, text: &str) -> Result<(), String> {
        let tokens: TokenStream = text.parse().map_err(|error| format!("{path}: {error}"))?;
        let syntax = syn::parse2(tokens.clone()).map_err(|error| format!("{path}: {error}"))?;
        self.rust.insert(path, Source { lines: text.lines().count(), tokens, syntax });
        Ok(())
    }

    pub(crate) fn get(&self, path: &str) -> Option<&Source> {
        self.rust.get(path)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Source)> {
        self.rust.iter().map(|(path, source)| (path.as_str(), source))
    }
}
