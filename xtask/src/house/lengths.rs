//! Measures the lengths of files and functions.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Block, ImplItemFn, ItemFn, Signature, TraitItemFn};

use super::source::Sources;

/// The maximum lengths of a file and of a function, in lines.
const FILE: usize = 600;
const FUNCTION: usize = 100;

/// An exception from the maximum: a file, or `file: function`, and the reason.
pub(crate) type Allowed = (&'static str, &'static str);

/// The length of a file and of each of its functions.
pub(crate) struct Lengths {
    pub(crate) file: String,
    pub(crate) lines: usize,
    pub(crate) functions: Vec<(String, usize)>,
}

/// Measures every file.
pub(crate) fn measure(sources: &Sources) -> Vec<Lengths> {
    let measured = sources.iter().map(|(file, source)| {
        let mut functions = Functions::default();
        functions.visit_file(&source.syntax);
        Lengths { file: file.into(), lines: source.lines, functions: functions.0 }
    });
    measured.collect()
}

/// Finds files and functions that are too long.
pub(crate) fn faults(measured: &[Lengths], allowed: &[Allowed]) -> Vec<(String, String)> {
    let mut faults = Vec::new();
    for Lengths { file, lines, functions } in measured {
        let long = functions.iter().filter(|(_, lines)| *lines > FUNCTION);
        let functions = long.map(|(name, lines)| (format!("{file}: {name}"), *lines, FUNCTION));
        let whole = (*lines > FILE).then(|| (file.clone(), *lines, FILE));
        for (what, lines, most) in whole.into_iter().chain(functions) {
            if !allowed.iter().any(|(exception, _)| *exception == what) {
                let text = format!("{what} has {lines} lines, more than {most}: split it");
                faults.push((file.clone(), text));
            }
        }
    }
    faults
}

#[derive(Default)]
struct Functions(Vec<(String, usize)>);

impl Functions {
    fn add(&mut self, signature: &Signature, block: &Block) {
        let (start, end) = (signature.span().start().line, block.span().end().line);
        self.0.push((signature.ident.to_string(), end.saturating_sub(start) + 1));
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.add(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.add(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        if let Some(block) = &function.default {
            self.add(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

/// Writes a table of the lengths of the product's code, per package and in total. Lines of files
/// are rounded to tens, so that not every change of the code changes the table.
pub(crate) fn table(measured: &[Lengths], packages: &[(&str, &str)]) -> String {
    let mut table = String::from(
        "| Code | Files | Lines per file: median | longest | Lines per function: median | longest \
         |\n|---|--:|--:|--:|--:|--:|\n",
    );
    let mut all = Vec::new();
    for (name, folder) in packages {
        let own = measured.iter().filter(|one| one.file.starts_with(folder));
        let own: Vec<&Lengths> = own.collect();
        table.push_str(&row(name, &own));
        all.extend(own);
    }
    table.push_str(&row("all", &all));
    table
}

fn row(name: &str, measured: &[&Lengths]) -> String {
    let (files, file, longest_file) = figures(measured.iter().map(|one| one.lines));
    let functions = measured.iter().flat_map(|one| &one.functions).map(|(_, lines)| *lines);
    let (_, function, longest) = figures(functions);
    let tens = |lines: usize| lines.div_ceil(10) * 10;
    let (file, longest_file) = (tens(file), tens(longest_file));
    format!("| {name} | {files} | {file} | {longest_file} | {function} | {longest} |\n")
}

/// Computes the count, the median and the maximum.
fn figures(lengths: impl Iterator<Item = usize>) -> (usize, usize, usize) {
    let mut lengths: Vec<usize> = lengths.collect();
    lengths.sort_unstable();
    let at = |index: usize| lengths.get(index).copied().unwrap_or_default();
    (lengths.len(), at(lengths.len() / 2), at(lengths.len().saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(text: &str) -> Vec<Lengths> {
        measure(&Sources::of(&[("crates/a/src/lib.rs", text)]))
    }

    #[test]
    fn a_long_function_is_found_and_may_be_excused() {
        let body = "x();\n".repeat(99);
        let long = measured(&format!("impl A {{\n/// Doc.\nfn long() {{\n{body}}}\n}}\n"));
        let expected = "crates/a/src/lib.rs: long has 101 lines, more than 100: split it";
        let found = faults(&long, &[]);
        assert_eq!(found, [("crates/a/src/lib.rs".into(), expected.into())]);
        assert!(faults(&long, &[("crates/a/src/lib.rs: long", "a table")]).is_empty());
        let short = measured(&format!("fn short() {{\n{}}}\n", "x();\n".repeat(98)));
        assert!(faults(&short, &[]).is_empty());
    }

    #[test]
    fn a_long_file_is_found() {
        let long = measured(&"const A: u8 = 0;\n".repeat(601));
        assert_eq!(faults(&long, &[]).len(), 1);
        assert!(faults(&measured(&"const A: u8 = 0;\n".repeat(600)), &[]).is_empty());
    }

    #[test]
    fn the_table_shows_medians_and_the_longest() {
        let code = measured("fn a() {}\nfn b() {\n\n}\nfn c() {\n\n\n\n}\n");
        let table = table(&code, &[("a", "crates/a/src/")]);
        assert!(table.contains("| a | 1 | 10 | 10 | 3 | 5 |"), "{table}");
    }
}
