//! Captures the spans and events of the thread of a test.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

/// A span, with what was recorded of it.
#[derive(Debug, Clone)]
pub(super) struct CapturedSpan {
    pub(super) name: &'static str,
    pub(super) fields: BTreeMap<&'static str, String>,
    /// The fields of the spans around it, innermost first.
    pub(super) around: Vec<BTreeMap<&'static str, String>>,
}

/// An event, with its level and its fields.
#[derive(Debug)]
pub(super) struct CapturedEvent {
    pub(super) level: Level,
    pub(super) fields: BTreeMap<&'static str, String>,
}

#[derive(Default)]
struct Spans {
    all: Vec<CapturedSpan>,
    events: Vec<CapturedEvent>,
    /// The places of the open ones: identifiers are used again.
    places: HashMap<Id, usize>,
}

/// All spans that this thread has opened, and its events.
#[derive(Clone, Default)]
pub(super) struct CapturedSpans(Arc<Mutex<Spans>>);

impl CapturedSpans {
    /// Captures spans and events up to a level until the guard is dropped.
    pub(super) fn start(level: Level) -> (Self, DefaultGuard) {
        let spans = Self::default();
        let layer = spans.clone().with_filter(LevelFilter::from_level(level));
        let guard = tracing::subscriber::set_default(Registry::default().with(layer));
        (spans, guard)
    }

    /// Returns the spans since the last call.
    pub(super) fn take(&self) -> Vec<CapturedSpan> {
        let mut spans = self.0.lock().unwrap();
        spans.places.clear();
        std::mem::take(&mut spans.all)
    }

    /// Returns the events since the last call.
    pub(super) fn take_events(&self) -> Vec<CapturedEvent> {
        std::mem::take(&mut self.0.lock().unwrap().events)
    }
}

impl<S: Subscriber + for<'l> LookupSpan<'l>> Layer<S> for CapturedSpans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let mut spans = self.0.lock().unwrap();
        let scope = context.span(id).into_iter().flat_map(|span| span.scope().skip(1));
        let places = scope.filter_map(|span| spans.places.get(&span.id()));
        let around = places.map(|&place| spans.all[place].fields.clone()).collect();
        let (place, name) = (spans.all.len(), attributes.metadata().name());
        spans.all.push(CapturedSpan { name, fields: fields.0, around });
        spans.places.insert(id.clone(), place);
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let event = CapturedEvent { level: *event.metadata().level(), fields: fields.0 };
        self.0.lock().unwrap().events.push(event);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        let mut spans = self.0.lock().unwrap();
        if let Some(&place) = spans.places.get(id) {
            for (name, value) in fields.0 {
                let before = spans.all[place].fields.insert(name, value.clone());
                assert!(before.is_none_or(|before| before == value), "{name} is recorded twice");
            }
        }
    }
}

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}
