//! Finds the references between the files of a crate.
//!
//! A file refers to the file that *defines* a name. So a name that a parent re-exports (`pub use
//! child::Name`) leads to the child, and neither a re-export nor `mod child;` is a reference of the
//! parent. Names that a glob imports count where they are used. A method of a type whose `impl`
//! blocks are spread over several files leads to the file with the method, if the receiver tells
//! the type: `self`, `Self`, the type itself, or a variable or field that is named after it. Other
//! methods are not followed: only the compiler knows their types.

use std::collections::{BTreeMap, BTreeSet};

use super::mention::{After, Import, Mention, What};
use super::modules::{Crate, Module};

/// A reference of one file to another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Edge {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) line: usize,
    /// The path as written.
    pub(crate) path: String,
}

/// The maximum number of re-exports that a name is followed through.
const DEPTH: usize = 12;

enum Found {
    Module(Vec<String>),
    /// An item, in the file that defines it.
    Item(String),
    /// An item of another crate.
    Outside,
}

/// Finds the references between the files of a crate: for each pair, the first one.
pub(crate) fn edges(of: &Crate) -> Vec<Edge> {
    let resolver = Resolver::new(of);
    let mut found = BTreeMap::new();
    for (path, module) in &of.modules {
        let imports = module
            .imports
            .iter()
            .map(|import| (resolver.import(path, import), import.line, import.path.join("::")));
        let mentions = module
            .mentions
            .iter()
            .map(|mention| (resolver.mention(path, mention), mention.line, shown(&mention.what)));
        for (files, line, path) in imports.chain(mentions) {
            for to in files.into_iter().filter(|to| *to != module.file) {
                let from = module.file.clone();
                let edge = Edge { from, to, line, path: path.clone() };
                found.entry((edge.from.clone(), edge.to.clone())).or_insert(edge);
            }
        }
    }
    found.into_values().collect()
}

struct Resolver<'a> {
    of: &'a Crate,
    /// The types whose inherent `impl` blocks are in several files, with the file of each method.
    spread: BTreeMap<TypeKey, BTreeMap<String, String>>,
}

/// The identity of a type: the file that defines it, and its name.
type TypeKey = (String, String);

impl<'a> Resolver<'a> {
    fn new(of: &'a Crate) -> Self {
        let mut resolver = Self { of, spread: BTreeMap::new() };
        let mut methods: BTreeMap<TypeKey, BTreeMap<String, String>> = BTreeMap::new();
        for (path, module) in &of.modules {
            for (name, method) in &module.methods {
                if let Some(key) = resolver.type_key(path, name) {
                    methods.entry(key).or_default().insert(method.clone(), module.file.clone());
                }
            }
        }
        methods.retain(|_, methods| methods.values().collect::<BTreeSet<_>>().len() > 1);
        resolver.spread = methods;
        resolver
    }

    fn type_key(&self, at: &[String], name: &str) -> Option<TypeKey> {
        match self.resolve(at, &[name.to_owned()], DEPTH) {
            Found::Item(file) => Some((file, name.to_owned())),
            Found::Module(_) | Found::Outside => None,
        }
    }

    /// Returns the file of a method, if its type is spread over several.
    fn method(&self, at: &[String], of: &str, method: &str) -> Option<String> {
        let key = self.type_key(at, of).or_else(|| {
            // A field may have a type that the file never names.
            let mut keys = self.spread.keys().filter(|(_, name)| name == of);
            keys.next().filter(|_| keys.next().is_none()).cloned()
        });
        self.spread.get(&key?)?.get(method).cloned()
    }

    fn import(&self, at: &[String], import: &Import) -> Vec<String> {
        if import.shared {
            return Vec::new();
        }
        match self.resolve(at, &import.path, DEPTH) {
            Found::Item(file) => vec![file],
            Found::Module(_) | Found::Outside => Vec::new(),
        }
    }

    fn mention(&self, at: &[String], mention: &Mention) -> Vec<String> {
        match &mention.what {
            What::Method { receiver, name } => {
                let of =
                    if receiver == "self" { mention.within.clone() } else { Some(camel(receiver)) };
                of.and_then(|of| self.method(at, &of, name)).into_iter().collect()
            }
            What::Path { segments, after } => self.path(at, mention, segments, *after),
        }
    }

    fn path(
        &self,
        at: &[String],
        mention: &Mention,
        segments: &[String],
        after: After,
    ) -> Vec<String> {
        let mut files = Vec::new();
        if let [.., of, name] = segments {
            let of = if of == "Self" { mention.within.as_ref() } else { Some(of) };
            files.extend(of.and_then(|of| self.method(at, of, name)));
        }
        // A single lower-case name that is not called is a variable or a field.
        if let [name] = segments
            && after == After::Other
            && name.starts_with(|first: char| first.is_lowercase())
        {
            return files;
        }
        match self.resolve(at, segments, DEPTH) {
            Found::Item(file) => files.push(file),
            Found::Outside if after == After::Macro && segments.len() == 1 => {
                files.extend(segments.first().and_then(|name| self.of.macros.get(name)).cloned());
            }
            Found::Module(_) | Found::Outside => {}
        }
        files
    }

    /// Resolves a path, starting from a module.
    fn resolve(&self, from: &[String], path: &[String], depth: usize) -> Found {
        let mut at = from.to_vec();
        let mut rest = path.iter();
        let mut inside = false;
        while let Some(segment) = rest.next() {
            match segment.as_str() {
                "crate" => at.clear(),
                "self" => {}
                "super" => drop(at.pop()),
                name => match self.look_up(&at, name, Segment::of(rest.as_slice()), depth) {
                    Some(Found::Module(module)) => at = module,
                    Some(found) => return found,
                    None if !inside => return Found::Outside,
                    None => return self.unknown(&at, name),
                },
            }
            inside = true;
        }
        Found::Module(at)
    }

    /// Resolves a name in a module.
    fn look_up(&self, at: &[String], name: &str, segment: Segment, depth: usize) -> Option<Found> {
        let depth = depth.checked_sub(1)?;
        let module = self.of.modules.get(at)?;
        let mut below = at.to_vec();
        below.push(name.to_owned());
        let child = self.of.modules.contains_key(&below).then_some(Found::Module(below));
        let own = module.items.contains(name).then(|| Found::Item(module.file.clone()));
        let imported = || {
            let mut imports = module.imports.iter().filter(|import| import.name == name);
            imports.find_map(|import| self.taken(at, &import.path, depth))
        };
        let found = match segment {
            Segment::Last => own.or_else(imported).or(child),
            Segment::Before => child.or_else(imported).or(own),
        };
        found.or_else(|| self.look_up_in_globs(at, module, (name, segment), depth))
    }

    fn look_up_in_globs(
        &self,
        at: &[String],
        module: &Module,
        (name, segment): (&str, Segment),
        depth: usize,
    ) -> Option<Found> {
        let globs = module.imports.iter().filter(|import| import.name == "*");
        globs.map(|glob| self.resolve(at, &glob.path, depth)).find_map(|found| match found {
            Found::Module(other) if other != at => self.look_up(&other, name, segment, depth),
            _ => None,
        })
    }

    fn taken(&self, at: &[String], path: &[String], depth: usize) -> Option<Found> {
        (depth > 0).then(|| self.resolve(at, path, depth))
    }

    /// Resolves a name that a module does not visibly define: a macro defines it.
    fn unknown(&self, at: &[String], name: &str) -> Found {
        let exported = self.of.macros.get(name).filter(|_| at.is_empty()).cloned();
        let file = exported.or_else(|| self.of.modules.get(at).map(|module| module.file.clone()));
        file.map_or(Found::Outside, Found::Item)
    }
}

/// The place of a name in a path.
#[derive(Clone, Copy)]
enum Segment {
    /// The last name, which is that of an item or of a module.
    Last,
    /// A name before the last, which is that of a module or of a type.
    Before,
}

impl Segment {
    /// Returns the place of a name from those that follow it.
    fn of(rest: &[String]) -> Self {
        if rest.is_empty() { Self::Last } else { Self::Before }
    }
}

fn shown(what: &What) -> String {
    match what {
        What::Path { segments, .. } => segments.join("::"),
        What::Method { receiver, name } => format!("{receiver}.{name}()"),
    }
}

/// Returns the type that a variable is named after: `user_token` is a `UserToken`.
fn camel(name: &str) -> String {
    let words = name.split('_').filter_map(|word| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>())
    });
    words.collect()
}
