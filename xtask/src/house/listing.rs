//! Generates the parts of documents between marks, such as the list of modules.

use std::fmt::Write;

use super::floors::Floors;
use super::modules::Crate;

/// The maximum width of a line in the documents, in characters.
const WIDTH: usize = 100;

/// Lists the modules of crates, each with the first sentence of its documentation, and the floors
/// of the crate if it has a table of them.
pub(crate) fn list(crates: &[&Crate], tables: &[Floors]) -> String {
    let mut list = String::new();
    for one in crates {
        let folder = one.root.rsplit_once('/').map_or("", |(folder, _)| folder);
        let _ = writeln!(list, "\n### `{folder}`\n");
        if let Some(table) = tables.iter().find(|table| table.package == one.package) {
            let _ = writeln!(list, "{}", picture(table));
        }
        for (path, module) in one.modules.iter().filter(|(_, module)| !module.inline) {
            let name = path.last().map_or("crate", String::as_str);
            let indent = "  ".repeat(path.len().saturating_sub(1));
            let doc = first_sentence(&module.doc);
            let doc = if doc.is_empty() { String::new() } else { format!(": {doc}") };
            push_wrapped(&mut list, &indent, &format!("- `{name}`{doc}"));
        }
    }
    list
}

/// Appends an item of a list in lines of at most [`WIDTH`].
fn push_wrapped(list: &mut String, indent: &str, item: &str) {
    let mut line = indent.to_owned();
    for word in item.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(list, "{}", line.trim_end());
            line = format!("{indent}  ");
        }
        line.push_str(word);
        line.push(' ');
    }
    let _ = writeln!(list, "{}", line.trim_end());
}

/// Draws the floors of a crate's modules, the top one first.
fn picture(table: &Floors) -> String {
    let floors = table.floors.iter().map(|names| format!("    {}\n", names.join(" · ")));
    let exceptions =
        table.allowed.iter().map(|(from, to, why)| format!("\n`{from}` may use `{to}`: {why}.\n"));
    floors.chain(exceptions).collect()
}

/// Replaces the text between the marks of that name; none if there are no marks.
pub(crate) fn replaced(text: &str, name: &str, part: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- {name}:begin -->"), format!("<!-- {name}:end -->"));
    let (before, rest) = text.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n\n{}\n\n{end}{after}", part.trim()))
}

/// Returns the first sentence of a doc comment, on one line, without links.
fn first_sentence(doc: &str) -> String {
    let paragraph = doc.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    let paragraph = paragraph.replace("[`", "`").replace("`]", "`");
    let end = paragraph.match_indices('.').map(|(at, _)| at).find(|at| {
        let rest = paragraph.get(at + 1..).unwrap_or_default();
        rest.is_empty() || rest.starts_with(' ')
    });
    let sentence = end.and_then(|end| paragraph.get(..end)).unwrap_or(&paragraph);
    sentence.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::source::Sources;
    use super::*;

    #[test]
    fn modules_are_listed_below_their_parents_with_their_first_sentence() {
        let sources = Sources::of(&[
            ("crates/a/src/lib.rs", "//! Does it. And more.\n\nmod b;\n"),
            ("crates/a/src/b.rs", "//! Reads [`File`]s\n//! of 1.5 MB: all.\n\nmod c;\n"),
            ("crates/a/src/b/c.rs", "mod d { }\n#[cfg(test)]\nmod tests;\n"),
        ]);
        let read = Crate::read(&sources, "a", "crates/a/src/lib.rs").unwrap();
        let expected = "\n### `crates/a/src`\n\n- `crate`: Does it\n- `b`: Reads `File`s of 1.5 MB: all\n  \
                        - `c`\n";
        assert_eq!(list(&[&read], &[]), expected);
        let table = Floors {
            package: "a",
            floors: &[&["crate"], &["b", "e"]],
            allowed: &[("b", "e", "it must")],
        };
        let floors =
            "`crates/a/src`\n\n    crate\n    b · e\n\n`b` may use `e`: it must.\n\n- `crate`";
        assert!(list(&[&read], &[table]).contains(floors));
    }

    #[test]
    fn long_items_are_wrapped() {
        let mut list = String::new();
        push_wrapped(&mut list, "  ", &format!("- `a`: {}", "word ".repeat(40).trim()));
        let lines: Vec<&str> = list.lines().collect();
        assert!(lines.len() > 1 && lines.iter().all(|line| line.len() <= WIDTH), "{list}");
        assert!(lines[1].starts_with("    word"), "{list}");
    }

    #[test]
    fn the_list_stands_between_its_marks() {
        let text = "a\n<!-- x:begin -->\nold\n<!-- x:end -->\nb";
        let new = "a\n<!-- x:begin -->\n\nnew\n\n<!-- x:end -->\nb";
        assert_eq!(replaced(text, "x", "new\n").unwrap(), new);
        assert!(replaced(text, "y", "new").is_none());
    }
}
