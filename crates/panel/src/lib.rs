//! The Control Panel: what people see.
//!
//! Each page is a handler: it reads the request as a [`RequestContext`], calls use cases, and
//! renders a template. It holds no rule of its own: who may do what is decided by the use cases, and what
//! they refuse becomes a page or a banner. Every text is in `texts/`, in each language.

mod assets;
mod chart;
mod cookies;
mod error;
mod fields;
mod layout;
mod pages;
mod request;
mod response;
mod serve;
mod table;
mod text;

pub use serve::{Options, Panel, router};
pub use text::TextsError;
