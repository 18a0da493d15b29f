//! Checks that no identifier contains a word of the private vocabulary that the code once had, in Rust
//! and in the files of other languages.

use proc_macro2::{TokenStream, TokenTree};

use super::mention::plain;
use super::source::{Sources, Text};

/// A word that identifiers must not contain.
pub(crate) struct Banned {
    /// The word, or several, in lower case; the identifier itself if it is banned exactly.
    pub(crate) words: &'static [&'static str],
    pub(crate) kind: IdentifierKind,
    /// The word to use instead.
    pub(crate) instead: &'static str,
}

/// The kind of identifier that a word is banned in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdentifierKind {
    /// Every identifier.
    Anywhere,
    /// The names of types and variants.
    InTypes,
    /// An identifier that is exactly this text.
    Exactly,
    /// The exact name of a function where it is defined.
    AsFunction,
}

/// An exception: the file, or the beginning of its path; the identifier; the reason.
pub(crate) type Allowed = (&'static str, &'static str, &'static str);

/// Finds the identifiers with banned words, once for each file.
pub(crate) fn faults(
    sources: &Sources,
    banned: &[Banned],
    allowed: &[Allowed],
) -> Vec<(String, String)> {
    let all: Vec<&Banned> = banned.iter().collect();
    let mut faults = Vec::new();
    for (file, source) in sources.iter() {
        let mut identifiers = Vec::new();
        collect(source.tokens.clone(), &mut identifiers);
        identifiers.sort();
        identifiers.dedup_by(|later, earlier| {
            (&later.name, later.is_function) == (&earlier.name, earlier.is_function)
        });
        faults.extend(faults_of(file, &identifiers, &all, allowed));
    }
    faults
}

/// Finds the words that are banned everywhere in files of other languages: in the keys of the texts of
/// pages, and in all that could be an identifier elsewhere.
pub(crate) fn faults_in_texts(
    texts: &[Text],
    banned: &[Banned],
    allowed: &[Allowed],
) -> Vec<(String, String)> {
    let anywhere: Vec<&Banned> =
        banned.iter().filter(|ban| ban.kind == IdentifierKind::Anywhere).collect();
    let mut faults = Vec::new();
    for Text { path, text } in texts {
        let are_keys = path.rsplit('.').next() == Some("ftl");
        let lines = (1..).zip(text.lines()).flat_map(|(number, line)| {
            let end = if are_keys { line.find('=').unwrap_or(0) } else { line.len() };
            let part = line.get(..end).unwrap_or_default();
            let is_part_of_name = |letter: char| letter.is_alphanumeric() || "_-".contains(letter);
            let names = part.split(move |letter| !is_part_of_name(letter));
            names.map(move |name| Identifier {
                name: name.to_owned(),
                is_function: false,
                line: number,
            })
        });
        faults.extend(faults_of(path, &lines.collect::<Vec<_>>(), &anywhere, allowed));
    }
    faults
}

fn faults_of(
    file: &str,
    identifiers: &[Identifier],
    banned: &[&Banned],
    allowed: &[Allowed],
) -> Vec<(String, String)> {
    let mut faults = Vec::new();
    for identifier in identifiers {
        let Identifier { name, line, .. } = identifier;
        let is_allowed =
            |(path, identifier, _): &Allowed| file.starts_with(path) && identifier == name;
        if let Some(ban) = banned.iter().find(|ban| ban.hits(identifier))
            && !allowed.iter().any(is_allowed)
        {
            let text = format!("{file}:{line}: {name}: say {}", ban.instead);
            faults.push((file.to_owned(), text));
        }
    }
    faults
}

impl Banned {
    fn hits(&self, Identifier { name, is_function, .. }: &Identifier) -> bool {
        let words = words(name);
        let is_type = name.starts_with(|first: char| first.is_uppercase())
            && name.contains(|letter: char| letter.is_lowercase());
        let contains = words.windows(self.words.len()).any(|window| window == self.words);
        match self.kind {
            IdentifierKind::Anywhere => contains,
            IdentifierKind::InTypes => is_type && contains,
            IdentifierKind::Exactly => self.words == [name],
            IdentifierKind::AsFunction => *is_function && self.words == [name],
        }
    }
}

/// The first occurrence of an identifier in a file.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Identifier {
    name: String,
    /// True if it is the name of a function's definition.
    is_function: bool,
    line: usize,
}

fn collect(tokens: TokenStream, found: &mut Vec<Identifier>) {
    let mut after_fn = false;
    for token in tokens {
        let is_function = std::mem::take(&mut after_fn);
        match token {
            TokenTree::Group(group) => collect(group.stream(), found),
            TokenTree::Ident(ident) => {
                after_fn = ident == "fn";
                let line = ident.span().start().line;
                found.push(Identifier { name: plain(&ident), is_function, line });
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// Splits an identifier into words in lower case: `snake_case`, `kebab-case`, `CamelCase` and
/// `UPPER_CASE`.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for part in name.split(['_', '-']).filter(|part| !part.is_empty()) {
        let letters: Vec<char> = part.chars().collect();
        let mut word = String::new();
        for (at, letter) in letters.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|at| letters.get(at));
            let after = letters.get(at + 1);
            let starts = letter.is_uppercase()
                && (before.is_some_and(|before| !before.is_uppercase())
                    || (before.is_some() && after.is_some_and(|after| after.is_lowercase())));
            if starts {
                words.push(std::mem::take(&mut word));
            }
            word.extend(letter.to_lowercase());
        }
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const BANNED: &[Banned] = &[
        Banned { words: &["passage"], kind: IdentifierKind::Anywhere, instead: "ForwardedRequest" },
        Banned { words: &["known"], kind: IdentifierKind::InTypes, instead: "HashedIdentity" },
        Banned { words: &["tend"], kind: IdentifierKind::Exactly, instead: "maintain" },
        Banned { words: &["needs"], kind: IdentifierKind::AsFunction, instead: "requires" },
        Banned { words: &["has", "company"], kind: IdentifierKind::Anywhere, instead: "has_peers" },
    ];

    fn found(text: &str, allowed: &[Allowed]) -> Vec<String> {
        let sources = Sources::of(&[("a.rs", text)]);
        let faults = faults(&sources, BANNED, allowed);
        faults.into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn identifiers_are_cut_into_words() {
        assert_eq!(words("user_token"), ["user", "token"]);
        assert_eq!(words("UserToken"), ["user", "token"]);
        assert_eq!(words("AT_LEAST"), ["at", "least"]);
        assert_eq!(words("OAuth2Token"), ["o", "auth2", "token"]);
        assert_eq!(words("HTTPServer"), ["http", "server"]);
        assert_eq!(words("__x"), ["x"]);
    }

    #[test]
    fn a_banned_word_is_found_in_every_case_and_in_macros() {
        for text in ["struct PassageRefused;", "fn new_passage() {}", "const PASSAGE: u8 = 0;"] {
            assert_eq!(found(text, &[]).len(), 1, "{text}");
        }
        let expected = ["a.rs:2: passage: say ForwardedRequest"];
        assert_eq!(found("one! {\n passage.two() }", &[]), expected);
        assert_eq!(found("fn f(peer: P) { peer.has_company() }", &[]).len(), 1);
    }

    #[test]
    fn a_word_of_plain_language_is_banned_in_types_or_as_one_name() {
        assert!(found("const KNOWN: u8 = 0; fn f(known: u8, well_known: u8) {}", &[]).is_empty());
        assert_eq!(found("enum KnownIdentity {}", &[]).len(), 1);
        assert!(found("fn tend_to(extend: u8) { TEND }", &[]).is_empty());
        assert_eq!(found("fn tend() {}", &[]).len(), 1);
    }

    #[test]
    fn a_word_may_be_banned_as_the_name_of_a_function_alone() {
        assert!(found("fn f(needs: u8) { let needs = needs; }", &[]).is_empty());
        assert_eq!(found("fn f(needs: u8) {} impl A { pub fn needs() {} }", &[]).len(), 1);
    }

    #[test]
    fn texts_and_comments_are_free() {
        assert!(found("// passage\nconst A: &str = \"passage\";", &[]).is_empty());
    }

    #[test]
    fn other_languages_and_the_keys_of_texts_are_checked() {
        let found = |path: &str, text: &str| {
            let texts = [Text { path: path.to_owned(), text: text.to_owned() }];
            faults_in_texts(&texts, BANNED, &[])
                .into_iter()
                .map(|(_, text)| text)
                .collect::<Vec<_>>()
        };
        let expected = ["a.html:2: gw-passage: say ForwardedRequest"];
        assert_eq!(found("a.html", "<br>\n<p class=\"gw-passage\">"), expected);
        assert_eq!(found("a.py", "def has_company(): pass").len(), 1);
        assert_eq!(found("a.go", "func HasCompany() {} // Known").len(), 1);
        assert_eq!(found("en.ftl", "the-passage = One\nother = a passage\n").len(), 1);
    }

    #[test]
    fn an_exception_counts_in_its_file_only() {
        let text = "struct Passage;";
        assert!(found(text, &[("a", "Passage", "a word of the wire")]).is_empty());
        assert_eq!(found(text, &[("b", "Passage", "a word of the wire")]).len(), 1);
    }
}
