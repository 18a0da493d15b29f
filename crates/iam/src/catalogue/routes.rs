//! Matches the path of a request against the operations of a guarded API, in a tree with a level
//! for each part of a path: a match takes as long in an API of a thousand operations as in one of
//! ten.
//!
//! Invariants: the tree finds exactly the operations that a linear search finds; and a path that a
//! server could take for another declared path (by case, or by an ending) is refused. A property
//! test holds both. A request looks at a bounded part of the tree, and is refused where that is not
//! enough: it costs little whatever is declared.

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::quality::RandomState;

use crate::catalogue::route::{Found, NoRoute, Route};

/// The maximum number of paths and operations that a request looks at.
pub(crate) const MOST: usize = 1_000;

/// The operations at and below a path.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Routes {
    /// The operations at the path itself.
    here: Vec<Route>,
    /// The literal parts below, by their normalised form, which is shared by all parts that some
    /// server might take for one another.
    literals: HashMap<Box<str>, Vec<Literal>, RandomState>,
    /// The operations below a parameter of the path.
    parameter: Option<Box<Routes>>,
}

/// A literal part of a path, and the operations below it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Literal {
    part: Box<str>,
    below: Routes,
}

/// The likeness of the parts so far of a path to those of declared ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Likeness {
    /// All parts are equal.
    Exact,
    /// A part is equal in its normalised form alone.
    Near,
}

impl Routes {
    /// Adds an operation. A part of its path is none where it is a parameter.
    pub(crate) fn add(&mut self, parts: &[Option<String>], route: Route) {
        let Some((part, rest)) = parts.split_first() else {
            push_first_exactly(&mut self.here, route);
            return;
        };
        let Some(part) = part else {
            return self.parameter.get_or_insert_default().add(rest, route);
        };
        let alike = self.literals.entry(normalised(part).into()).or_default();
        let at = alike.iter().position(|literal| *literal.part == **part).unwrap_or(alike.len());
        if at == alike.len() {
            let literal = Literal { part: part.as_str().into(), below: Self::default() };
            push_first_exactly(alike, literal);
        }
        if let Some(literal) = alike.get_mut(at) {
            literal.below.add(rest, route);
        }
    }

    /// Returns the operations whose paths match, of any method. Refused where a server might take
    /// the path for another one that is declared, or where too many paths are like it.
    pub(crate) fn fitting(&self, parts: &[Cow<'_, str>]) -> Result<Found<'_>, NoRoute> {
        let mut search = Search { found: Found::new(), left: MOST };
        self.gather(parts, Likeness::Exact, &mut search)?;
        Ok(search.found)
    }

    /// Collects the operations that match exactly; fails as soon as one matches only by its
    /// normalised form.
    fn gather<'r>(
        &'r self,
        parts: &[Cow<'_, str>],
        likeness: Likeness,
        search: &mut Search<'r>,
    ) -> Result<(), NoRoute> {
        search.spend(1)?;
        let Some((part, rest)) = parts.split_first() else {
            if likeness == Likeness::Near {
                return if self.here.is_empty() { Ok(()) } else { Err(NoRoute::Near) };
            }
            search.spend(self.here.len())?;
            search.found.extend(&self.here);
            return Ok(());
        };
        for one in self.literals.get(&*normalised(part)).into_iter().flatten() {
            let likeness = if *one.part == **part { likeness } else { Likeness::Near };
            one.below.gather(rest, likeness, search)?;
        }
        self.parameter.as_ref().map_or(Ok(()), |below| below.gather(rest, likeness, search))
    }

    /// Returns the number of operations.
    pub(crate) fn len(&self) -> usize {
        let literals = self.literals.values().flatten().map(|literal| &literal.below);
        let below = literals.chain(self.parameter.as_deref());
        self.here.len() + below.map(Self::len).sum::<usize>()
    }
}

/// A search for the operations that match a request.
struct Search<'r> {
    found: Found<'r>,
    /// The number of paths and operations that it may still look at.
    left: usize,
}

impl Search<'_> {
    fn spend(&mut self, count: usize) -> Result<(), NoRoute> {
        self.left = self.left.checked_sub(count).ok_or(NoRoute::TooMany)?;
        Ok(())
    }
}

/// Appends to a list that nearly always has one entry: no memory is kept for others.
fn push_first_exactly<T>(list: &mut Vec<T>, new: T) {
    if list.is_empty() {
        list.reserve_exact(1);
    }
    list.push(new);
}

/// Normalises a part of a path, for servers that ignore case and endings such as `.json`.
fn normalised(part: &str) -> Cow<'_, str> {
    let end =
        part.bytes().position(|byte| matches!(byte, b'.' | b' ' | b',')).unwrap_or(part.len());
    let stem = part.get(..end).unwrap_or(part);
    if stem.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(stem);
    }
    // In capitals first: some letters have two small forms.
    Cow::Owned(stem.to_uppercase().to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fold(text: &str) -> String {
        let stem = text.split(['.', ' ', ',']).next().unwrap_or_default();
        stem.to_uppercase().to_lowercase()
    }

    /// Matches by linear search, as a reference for [`Routes::fitting`]: the indexes of the paths.
    fn obvious(declared: &[Vec<Option<String>>], parts: &[Cow<'_, str>]) -> Option<Vec<usize>> {
        let fits = |path: &[Option<String>], same: fn(&str, &str) -> bool| {
            let same = |(known, part): (&Option<String>, &Cow<'_, str>)| {
                known.as_ref().is_none_or(|known| same(known, part))
            };
            path.len() == parts.len() && path.iter().zip(parts).all(same)
        };
        let exactly = |path: &[Option<String>]| fits(path, |known, part| known == part);
        let nearly = |path: &[Option<String>]| fits(path, |a, b| fold(a) == fold(b));
        let all = declared.iter().enumerate();
        if declared.iter().any(|path| nearly(path) && !exactly(path)) {
            return None;
        }
        Some(all.filter(|(_, path)| exactly(path)).map(|(at, _)| at).collect())
    }

    fn add(routes: &mut Routes, path: &[Option<&str>]) {
        let path: Vec<_> = path.iter().map(|part| part.map(str::to_owned)).collect();
        routes.add(&path, Route::default());
    }

    fn fitting(routes: &Routes, path: &str) -> Result<usize, NoRoute> {
        let parts: Vec<_> = path.split('/').map(Cow::from).collect();
        routes.fitting(&parts).map(|found| found.len())
    }

    #[test]
    fn a_request_looks_at_a_bounded_number_of_paths_and_operations() {
        // Twice as many paths match with each part.
        let mut routes = Routes::default();
        for number in 0_usize..1 << 10 {
            let part = |bit: usize| (number >> bit & 1 == 1).then_some("a");
            add(&mut routes, &(0..10).map(part).collect::<Vec<_>>());
        }
        assert_eq!(fitting(&routes, "b/b/b/b/b/b/b/b/b/b"), Ok(1));
        assert_eq!(fitting(&routes, "a/a/a/a/a/b/b/b/b/b"), Ok(32));
        assert_eq!(fitting(&routes, "a/a/a/a/a/a/a/a/a/a"), Err(NoRoute::TooMany));
        let mut routes = Routes::default();
        for number in 0..2 * MOST {
            add(&mut routes, &[Some("many"), None]);
            add(&mut routes, &[Some("alike"), Some(&format!("a.{number}")), Some("b")]);
        }
        assert_eq!(fitting(&routes, "many/a"), Err(NoRoute::TooMany));
        assert_eq!(fitting(&routes, "alike/a/c"), Err(NoRoute::TooMany));
        assert_eq!(fitting(&routes, "alike/b/c"), Ok(0));
    }

    const PART: &str = "a|b|A|a\\.b|\\.c|s|ſ";

    proptest! {
        #[test]
        fn the_tree_finds_what_a_look_at_every_path_finds(
            declared in prop::collection::vec(prop::collection::vec(prop::option::of(PART), 0..4), 0..6),
            parts in prop::collection::vec(PART, 0..4),
        ) {
            let mut routes = Routes::default();
            for (at, path) in declared.iter().enumerate() {
                routes.add(path, Route { method: at.to_string(), ..Route::default() });
            }
            prop_assert_eq!(routes.len(), declared.len());
            let parts: Vec<_> = parts.into_iter().map(Cow::Owned).collect();
            let found = routes.fitting(&parts).ok().map(|found| {
                let mut found: Vec<usize> =
                    found.into_iter().map(|route| route.method.parse().unwrap()).collect();
                found.sort_unstable();
                found
            });
            prop_assert_eq!(found, obvious(&declared, &parts));
        }
    }
}
