//! The catalogue of products: resource types, actions, managed permissions groups, guarded APIs.

pub(crate) mod action;
pub(crate) mod api;
pub(crate) mod describe;
pub(crate) mod document;
pub(crate) mod error;
pub(crate) mod file;
pub(crate) mod index;
pub(crate) mod product;
pub(crate) mod propose;
pub(crate) mod route;
pub(crate) mod routes;
pub(crate) mod target;
