//! The Control Panel: what people see.
//!
//! Each page is a handler: it reads the request as a [`Visit`], calls use cases, and renders a
//! template. It holds no rule of its own: who may do what is decided by the use cases, and what
//! they refuse becomes a page or a banner. Every text is in `texts/`, in each language.

mod answer;
mod assets;
mod chart;
mod cookie;
mod fields;
mod frame;
mod page;
mod pages;
mod refusal;
mod serve;
mod text;
mod visit;

pub use serve::{Options, Panel, router};
pub use text::TextsError;
