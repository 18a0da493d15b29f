//! An object with its entity tag, by which clients detect changes and avoid lost updates.

use std::marker::PhantomData;

use axum::http::StatusCode;
use gatewright_iam::EntityTag;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::precondition::{beside, has_representation};
use crate::request::Request;
use crate::respond::{Described, Respond};
use crate::response::Response;
use crate::schema::Components;

/// The contents of a representation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shows {
    /// The object alone.
    Object,
    /// More, which changes without the object: details of other objects, the last use.
    More,
}

/// 200 with an object and its entity tag, or 304 if the client has it already.
pub(crate) struct Tagged<T> {
    response: Response,
    described: PhantomData<T>,
}

impl<T: Serialize> Tagged<T> {
    /// Builds the response to a request.
    pub(crate) fn of(
        request: &Request,
        tag: &EntityTag,
        shows: Shows,
        value: &T,
    ) -> Result<Self, ApiError> {
        let body = serde_json::to_vec(value)?;
        let tag = match shows {
            Shows::Object => tag.as_str().to_owned(),
            Shows::More => beside(tag.as_str(), EntityTag::of_bytes(&body).as_str()),
        };
        let response = if has_representation(&request.headers, &tag)? {
            Response::empty(StatusCode::NOT_MODIFIED)
        } else {
            Response::with_text(StatusCode::OK, body)
        };
        let response = response.with("etag", format!("\"{tag}\""));
        Ok(Self { response, described: PhantomData })
    }
}

impl<T: ToSchema> Respond for Tagged<T> {
    fn respond(self) -> Result<Response, ApiError> {
        Ok(self.response)
    }

    fn describe(components: &mut Components) -> Described {
        Described { headers: &["ETag"], is_tagged: true, ..Described::json(components.one::<T>()) }
    }
}
