//! Texts of the pages, in the reader's language.

use std::borrow::Cow;
use std::sync::Arc;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use fluent_langneg::{NegotiationStrategy, negotiate_languages, parse_accepted_languages};
use unic_langid::LanguageIdentifier;

/// Languages with their catalogues; the first is the default.
const CATALOGUES: [(&str, &str); 2] =
    [("en", include_str!("../texts/en.ftl")), ("fr", include_str!("../texts/fr.ftl"))];

/// Error of a catalogue of texts that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the texts in {language} are wrong: {message}")]
pub struct TextsError {
    language: &'static str,
    message: String,
}

/// Catalogues of all languages.
pub(crate) struct Catalogues {
    default: Texts,
    all: Vec<Texts>,
}

type Bundle = FluentBundle<FluentResource>;

impl Catalogues {
    /// Loads the embedded catalogues.
    pub(crate) fn load() -> Result<Self, TextsError> {
        let [(language, source), _] = CATALOGUES;
        let all = CATALOGUES.map(|(language, source)| Texts::load(language, source));
        Ok(Self {
            default: Texts::load(language, source)?,
            all: all.into_iter().collect::<Result<_, _>>()?,
        })
    }

    /// Chooses the best language for an `Accept-Language` header.
    pub(crate) fn choose(&self, accepted: &str) -> Texts {
        let requested = parse_accepted_languages(accepted);
        let available: Vec<&LanguageIdentifier> =
            self.all.iter().map(|one| &one.language).collect();
        let best = negotiate_languages(&requested, &available, None, NegotiationStrategy::Lookup);
        let chosen =
            best.first().and_then(|best| self.all.iter().find(|one| one.language == ***best));
        chosen.unwrap_or(&self.default).clone()
    }
}

/// Texts in one language.
#[derive(Clone)]
pub(crate) struct Texts {
    language: LanguageIdentifier,
    bundle: Arc<Bundle>,
}

impl Texts {
    fn load(language: &'static str, source: &str) -> Result<Self, TextsError> {
        let wrong = |message: String| TextsError { language, message };
        let id: LanguageIdentifier =
            language.parse().map_err(|error| wrong(format!("{error:?}")))?;
        let resource = FluentResource::try_new(source.to_owned())
            .map_err(|(_, errors)| wrong(format!("{errors:?}")))?;
        let mut bundle = Bundle::new_concurrent(vec![id.clone()]);
        // Isolation marks around inserted values would be copied along with them.
        bundle.set_use_isolating(false);
        bundle.add_resource(resource).map_err(|errors| wrong(format!("{errors:?}")))?;
        Ok(Self { language: id, bundle: Arc::new(bundle) })
    }

    /// Returns the language, as HTML names it.
    pub(crate) fn language(&self) -> &str {
        self.language.language.as_str()
    }

    /// Returns a text by its key.
    pub(crate) fn say(&self, key: &str) -> String {
        self.fill(key, &FluentArgs::new())
    }

    /// Returns a text with a number in it.
    pub(crate) fn count(&self, key: &str, count: impl Count) -> String {
        let mut arguments = FluentArgs::new();
        arguments.set("count", count.value());
        self.fill(key, &arguments)
    }

    /// Returns a text with a name in it.
    pub(crate) fn name(&self, key: &str, name: &str) -> String {
        let mut arguments = FluentArgs::new();
        arguments.set("name", FluentValue::from(name));
        self.fill(key, &arguments)
    }

    /// Fills in a text. A missing one is displayed as its key, which a test detects.
    fn fill(&self, key: &str, arguments: &FluentArgs<'_>) -> String {
        let pattern = self.bundle.get_message(key).and_then(|message| message.value());
        let Some(pattern) = pattern else { return key.to_owned() };
        let text: Cow<'_, str> =
            self.bundle.format_pattern(pattern, Some(arguments), &mut Vec::new());
        text.into_owned()
    }
}

/// Number that a text counts.
pub(crate) trait Count {
    fn value(self) -> FluentValue<'static>;
}

macro_rules! counts {
    ($($number:ty)*) => {
        $(impl Count for $number {
            fn value(self) -> FluentValue<'static> {
                self.into()
            }
        })*
    };
}

counts! { usize u64 i64 }

impl<T: Count + Copy> Count for &T {
    fn value(self) -> FluentValue<'static> {
        (*self).value()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn keys(source: &str) -> BTreeSet<&str> {
        let starts = |line: &&str| line.starts_with(|c: char| c.is_ascii_lowercase());
        source.lines().filter(starts).filter_map(|line| Some(line.split_once(" =")?.0)).collect()
    }

    #[test]
    fn every_language_has_the_same_texts() {
        let [(_, english), (_, french)] = CATALOGUES;
        assert_eq!(keys(english), keys(french));
    }

    #[test]
    fn every_text_that_is_asked_for_is_there_and_no_other() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut sources = String::new();
        let mut paths = vec![root.join("src"), root.join("templates")];
        while let Some(path) = paths.pop() {
            if path.is_dir() {
                let entries = std::fs::read_dir(path).unwrap();
                paths.extend(entries.map(|entry| entry.unwrap().path()));
            } else {
                sources.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
        let [(_, english), _] = CATALOGUES;
        let known = keys(english);
        for call in ["say(\"", "count(\"", "name(\"", "column(t, \""] {
            for rest in sources.split(call).skip(1) {
                let key = rest.split('"').next().unwrap();
                assert!(known.contains(key), "{key} is in no catalogue");
            }
        }
        for key in known {
            assert!(sources.contains(&format!("\"{key}\"")), "nobody says {key}");
        }
    }

    #[test]
    fn the_browser_chooses_the_language() {
        let catalogues = Catalogues::load().unwrap();
        let language = |accepted: &str| catalogues.choose(accepted).language().to_owned();
        assert_eq!(language("fr-CA,fr;q=0.9,en;q=0.8"), "fr");
        assert_eq!(language("en-GB,fr;q=0.5"), "en");
        assert_eq!(language("de, fr;q=0.3"), "fr");
        for other in ["", "de", "*", ";;;q=", "\u{0}"] {
            assert_eq!(language(other), "en", "{other}");
        }
    }
}
