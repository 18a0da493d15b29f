//! The Control Panel: the pages for people.
//!
//! Each page is a handler: it reads the request as a [`RequestContext`](request::RequestContext),
//! calls use cases, and renders a template. It has no rules of its own: the use cases authorize,
//! and their errors become a page or a banner. Every text is in `texts/`, in each language.

mod assets;
mod chart;
mod cookies;
mod csrf;
mod dispatch;
mod error;
mod fields;
mod flash;
mod form;
mod format;
mod layout;
mod pages;
mod panel;
mod pending_form;
mod request;
mod response;
mod route;
mod serve;
mod table;
mod text;

pub use pages::routes;
pub use panel::{Options, Panel};
pub use route::{Access, Route};
pub use serve::router;
pub use text::TextsError;
