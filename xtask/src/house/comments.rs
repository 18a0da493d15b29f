//! Checks that the first sentence of a documenting comment begins with a noun or a verb, so that it is
//! understood alone.

use proc_macro2::{TokenStream, TokenTree};

use super::source::Sources;

/// The words that begin a riddle or a fragment.
const RIDDLES: &[&str] =
    &["What", "How", "Who", "Whose", "Whether", "Where", "When", "It", "Nobody", "Everybody"];

/// Finds the comments that begin with another word.
pub(crate) fn faults(sources: &Sources) -> Vec<(String, String)> {
    let mut faults = Vec::new();
    for (file, source) in sources.iter() {
        let mut comments = Vec::new();
        collect(source.tokens.clone(), &mut comments);
        for Comment { line, text } in comments {
            let start = text.trim_start_matches(|letter: char| !letter.is_alphanumeric());
            let word = start.split(|letter: char| !letter.is_alphanumeric()).next();
            if let Some(word) = word.filter(|word| RIDDLES.contains(word)) {
                let text = format!(
                    "{file}:{line}: a comment begins with \"{word}\": begin with a noun or a verb"
                );
                faults.push((file.to_owned(), text));
            }
        }
    }
    faults
}

/// The first line of a documenting comment.
struct Comment {
    line: usize,
    text: String,
}

/// Collects the comments, each of which is an attribute for every line: `#[doc = "…"]`.
fn collect(tokens: TokenStream, found: &mut Vec<Comment>) {
    let mut is_within = false;
    for token in tokens {
        match token {
            TokenTree::Punct(mark) if matches!(mark.as_char(), '#' | '!') => {}
            TokenTree::Group(group) => {
                let line = doc_line(group.stream());
                let continues = line.is_some();
                found.extend(line.filter(|_| !is_within));
                is_within = continues;
                collect(group.stream(), found);
            }
            _ => is_within = false,
        }
    }
}

/// Returns the line of a comment that the tokens of an attribute hold, if they do.
fn doc_line(attribute: TokenStream) -> Option<Comment> {
    let mut tokens = attribute.into_iter();
    let is_doc = matches!(tokens.next(), Some(TokenTree::Ident(name)) if name == "doc");
    let is_set = matches!(tokens.next(), Some(TokenTree::Punct(mark)) if mark.as_char() == '=');
    match tokens.next() {
        Some(TokenTree::Literal(text)) if is_doc && is_set => {
            let line = text.span().start().line;
            let text = text.to_string().trim_start_matches(['r', '#', '"']).to_owned();
            Some(Comment { line, text })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let faults = faults(&Sources::of(&[("a.rs", text)]));
        faults.into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn a_comment_does_not_begin_with_a_riddle() {
        let text = "\n/// What a session lets its holder do.\nstruct A;";
        let expected = ["a.rs:2: a comment begins with \"What\": begin with a noun or a verb"];
        assert_eq!(found(text), expected);
        for text in [
            "//! How late a node hears of changes.",
            "struct A { /// Whether it is one.\n a: u8 }",
            "enum A { /// It reaches the API.\n #[default]\n /// B\n A }",
            "trait A { fn a(); /// `Nobody`: the limits of strangers count.\n fn b(); }",
        ] {
            assert_eq!(found(text).len(), 1, "{text}");
        }
    }

    #[test]
    fn later_lines_and_other_comments_are_free() {
        for text in [
            "/// Returns the name.\n/// What it means is said there.\n///\n/// It is short.\nfn f() {}",
            "// What happened before.\nfn f() { let what = 1; }",
            "/// Whatever is left.\nfn f() {}",
        ] {
            assert!(found(text).is_empty(), "{text}");
        }
    }
}
