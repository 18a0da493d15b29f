//! Collects the imports and the paths in a token stream, including those inside macros.

use proc_macro2::{Delimiter, Ident, Spacing, TokenStream, TokenTree};
use syn::{ItemUse, UseTree, Visibility};

/// A name that a `use` imports into a module.
pub(crate) struct Import {
    /// The name in the module; `*` for a glob.
    pub(crate) name: String,
    pub(crate) path: Vec<String>,
    /// True if it is a re-export.
    pub(crate) shared: bool,
    pub(crate) line: usize,
}

/// A place in the code that refers to something.
pub(crate) struct Mention {
    pub(crate) what: What,
    /// The type of the enclosing `impl` block.
    pub(crate) within: Option<String>,
    pub(crate) line: usize,
}

pub(crate) enum What {
    /// `a::b::c`, or a single name.
    Path { segments: Vec<String>, after: After },
    /// `receiver.name(…)`, where the receiver is a plain name or a field.
    Method { receiver: String, name: String },
}

/// The token after a path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    Call,
    Macro,
    Other,
}

/// A visitor that collects the references in a token stream.
pub(crate) struct Collector<'a> {
    pub(crate) imports: &'a mut Vec<Import>,
    pub(crate) mentions: &'a mut Vec<Mention>,
    pub(crate) within: Option<String>,
}

impl Collector<'_> {
    pub(crate) fn collect(&mut self, stream: TokenStream) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at = match token {
                TokenTree::Group(group) => {
                    self.collect(group.stream());
                    at + 1
                }
                TokenTree::Ident(ident) if ident == "use" => self.local_import(&tokens, at),
                TokenTree::Ident(_) => self.path(&tokens, at),
                TokenTree::Literal(literal) => {
                    self.path_in_text(&literal.to_string(), literal.span().start().line);
                    at + 1
                }
                TokenTree::Punct(_) => at + 1,
            };
        }
    }

    /// Collects a `use` inside a function or a macro.
    fn local_import(&mut self, tokens: &[TokenTree], at: usize) -> usize {
        let end = tokens.iter().skip(at).position(|token| is_punct(Some(token), ';'));
        let Some(end) = end.map(|length| at + length + 1) else { return at + 1 };
        let statement = tokens.iter().take(end).skip(at).cloned().collect();
        match syn::parse2::<ItemUse>(statement) {
            Ok(item) => {
                self.imports.extend(imports(&item));
                end
            }
            Err(_) => at + 1,
        }
    }

    fn path(&mut self, tokens: &[TokenTree], at: usize) -> usize {
        let Some(TokenTree::Ident(first)) = tokens.get(at) else { return at + 1 };
        let line = first.span().start().line;
        let mut segments = vec![plain(first)];
        let mut next = at + 1;
        while are_colons(tokens, next)
            && let Some(TokenTree::Ident(segment)) = tokens.get(next + 2)
        {
            segments.push(plain(segment));
            next += 3;
        }
        let after = match tokens.get(next) {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
                After::Call
            }
            Some(TokenTree::Punct(punct)) if punct.as_char() == '!' => After::Macro,
            _ if are_colons(tokens, next) => After::Call,
            _ => After::Other,
        };
        let before = |count: usize| at.checked_sub(count).and_then(|index| tokens.get(index));
        if is_punct(before(1), ':') && is_joint(before(2), ':') {
            return next;
        }
        let what = if is_punct(before(1), '.') && !is_punct(before(2), '.') {
            let (Some(TokenTree::Ident(receiver)), After::Call) = (before(2), after) else {
                return next;
            };
            let name = segments.swap_remove(0);
            What::Method { receiver: plain(receiver), name }
        } else {
            if matches!(before(1), Some(TokenTree::Ident(word)) if word == "fn") {
                return next;
            }
            What::Path { segments, after }
        };
        self.mentions.push(Mention { what, within: self.within.clone(), line });
        next
    }

    /// Collects a path in a string, as in `#[serde(with = "crate::wire::text")]`.
    fn path_in_text(&mut self, literal: &str, line: usize) {
        let text = literal.trim_matches('"');
        if !["crate::", "self::", "super::"].iter().any(|start| text.starts_with(start)) {
            return;
        }
        let segments: Vec<String> = text.split("::").map(str::to_owned).collect();
        let is_name = |segment: &String| syn::parse_str::<Ident>(segment).is_ok();
        // `crate`, `self` and `super` are keywords; the segments after them are not.
        if segments.len() > 1 && segments.iter().skip(1).all(is_name) {
            let what = What::Path { segments, after: After::Call };
            self.mentions.push(Mention { what, within: self.within.clone(), line });
        }
    }
}

/// Returns the names that a `use` statement imports.
pub(crate) fn imports(item: &ItemUse) -> Vec<Import> {
    let mut found = Vec::new();
    if item.leading_colon.is_none() {
        let shared = !matches!(item.vis, Visibility::Inherited);
        flatten(&item.tree, &mut Vec::new(), &mut found);
        let line = item.use_token.span.start().line;
        for import in &mut found {
            (import.shared, import.line) = (shared, line);
        }
    }
    found
}

fn flatten(tree: &UseTree, path: &mut Vec<String>, found: &mut Vec<Import>) {
    let mut add = |name: String, mut path: Vec<String>, last: Option<String>| {
        path.extend(last);
        found.push(Import { name, path, shared: false, line: 0 });
    };
    match tree {
        UseTree::Path(one) => {
            path.push(plain(&one.ident));
            flatten(&one.tree, path, found);
            path.pop();
        }
        UseTree::Name(one) if one.ident == "self" => {
            add(path.last().cloned().unwrap_or_default(), path.clone(), None);
        }
        UseTree::Name(one) => add(plain(&one.ident), path.clone(), Some(plain(&one.ident))),
        UseTree::Rename(one) => {
            let last = (one.ident != "self").then(|| plain(&one.ident));
            add(plain(&one.rename), path.clone(), last);
        }
        UseTree::Glob(_) => add("*".into(), path.clone(), None),
        UseTree::Group(group) => {
            for one in &group.items {
                flatten(one, path, found);
            }
        }
    }
}

/// Returns an identifier without the prefix `r#`.
pub(crate) fn plain(ident: &Ident) -> String {
    ident.to_string().trim_start_matches("r#").to_owned()
}

fn is_punct(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

fn is_joint(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct))
        if punct.as_char() == wanted && punct.spacing() == Spacing::Joint)
}

fn are_colons(tokens: &[TokenTree], at: usize) -> bool {
    is_joint(tokens.get(at), ':') && is_punct(tokens.get(at + 1), ':')
}
