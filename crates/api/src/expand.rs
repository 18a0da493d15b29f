//! Version 1's expanded lists: whole objects, sorted, filtered and paged, instead of identifiers.

use std::cmp::Ordering;
use std::marker::PhantomData;

use axum::http::StatusCode;
use gatewright_iam::{Fault, IamError};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::request::Request;
use crate::respond::{Described, Respond};
use crate::response::Response;
use crate::schema::Components;
use crate::wire::Identified;

const DEFAULT_SIZE: usize = 1_000;
const MAX_SIZE: usize = 10_000;

/// A list of identifiers, or of whole objects if the headers of the request ask for expansion.
pub(crate) struct Expandable<T> {
    response: Response,
    described: PhantomData<T>,
}

impl<T: Identified + Serialize> Expandable<T> {
    /// Builds the list that the request asks for.
    pub(crate) fn of(
        request: &Request,
        objects: impl Iterator<Item = T>,
    ) -> Result<Self, ApiError> {
        let objects = objects.map(serde_json::to_value).collect::<Result<_, _>>()?;
        let response = expand(request, objects, T::ID)?;
        Ok(Self { response, described: PhantomData })
    }
}

impl<T: Identified + ToSchema> Respond for Expandable<T> {
    fn respond(self) -> Result<Response, ApiError> {
        Ok(self.response)
    }

    fn describe(components: &mut Components) -> Described {
        let ids = Described::json(components.many::<T::Id>());
        Described { expanded: Some((components.one::<T>(), T::ID)), ..ids }
    }
}

fn expand(request: &Request, objects: Vec<Value>, id: &str) -> Result<Response, ApiError> {
    let mode = request.header("x-pagination-mode").unwrap_or_default().to_ascii_lowercase();
    match mode.as_str() {
        "" => {
            let ids: Vec<&Value> = objects.iter().filter_map(|one| one.get(id)).collect();
            Ok(Response::json(StatusCode::OK, &ids)?)
        }
        "cachedobjectlist-pages" => pages(request, objects),
        "cachedobjectlist-cursor" => cursor(request, objects),
        _ => Err(refused(
            "X-Pagination-Mode must be CachedObjectList-Pages or CachedObjectList-Cursor",
        )),
    }
}

fn refused(message: impl Into<String>) -> ApiError {
    IamError::invalid(Fault::Parameter, message).into()
}

fn pages(request: &Request, mut objects: Vec<Value>) -> Result<Response, ApiError> {
    if let Some(filter) = request.header("x-pagination-filter") {
        let filter = Filter::parse(filter)?;
        objects.retain(|object| filter.fits(object));
    }
    if let Some(field) = request.header("x-pagination-sort") {
        if objects.first().is_some_and(|one| one.get(field).is_none()) {
            return Err(refused(format!("X-Pagination-Sort: there is no field {field}")));
        }
        objects.sort_by(|one, other| compare(one.get(field), other.get(field)));
        match request.header("x-pagination-sort-order").unwrap_or("ASC") {
            order if order.eq_ignore_ascii_case("ASC") => {}
            order if order.eq_ignore_ascii_case("DESC") => objects.reverse(),
            _ => return Err(refused("X-Pagination-Sort-Order must be ASC or DESC")),
        }
    }
    let number = whole(request, "x-pagination-number")?.unwrap_or(1);
    let size = whole(request, "x-pagination-size")?.unwrap_or(DEFAULT_SIZE).min(MAX_SIZE);
    let total = objects.len();
    let begin = (number - 1).saturating_mul(size);
    let page: Vec<Value> = objects.into_iter().skip(begin).take(size).collect();
    Ok(Response::json(StatusCode::OK, &page)?
        .with("x-pagination-elements", total.to_string())
        .with("x-pagination-number", number.to_string())
        .with("x-pagination-size", size.to_string()))
}

fn cursor(request: &Request, objects: Vec<Value>) -> Result<Response, ApiError> {
    let size = whole(request, "x-pagination-size")?.unwrap_or(DEFAULT_SIZE).min(MAX_SIZE);
    let begin = match request.header("x-pagination-cursor").filter(|text| !text.is_empty()) {
        None => 0,
        Some(text) => text
            .parse::<usize>()
            .map_err(|_| ApiError::from(IamError::invalid(Fault::Input, "invalid cursor")))?,
    };
    let end = begin.saturating_add(size);
    let next = (end < objects.len()).then(|| end.to_string());
    let page: Vec<Value> = objects.into_iter().skip(begin).take(size).collect();
    Ok(Response::json(StatusCode::OK, &page)?.with_next(next.as_deref()))
}

fn whole(request: &Request, name: &str) -> Result<Option<usize>, ApiError> {
    let Some(text) = request.header(name) else { return Ok(None) };
    match text.parse::<usize>() {
        Ok(number) if number > 0 => Ok(Some(number)),
        _ => Err(refused(format!("{name} must be a whole number from 1 on"))),
    }
}

/// A comparison operator of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Eq,
    Ne,
    Lt,
    Gt,
    Like,
    NotLike,
    In,
}

/// A filter: `field:op=value` pairs joined by `&`, all of which must hold.
#[derive(Debug)]
struct Filter(Vec<(String, Operator, String)>);

impl Filter {
    fn parse(text: &str) -> Result<Self, ApiError> {
        let mut pairs = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let parsed = pair.split_once('=').and_then(|(key, value)| {
                let (field, operator) = key.rsplit_once(':')?;
                let operator = match operator {
                    "eq" => Operator::Eq,
                    "ne" | "nq" => Operator::Ne,
                    "lt" => Operator::Lt,
                    "gt" => Operator::Gt,
                    "like" => Operator::Like,
                    "nlike" => Operator::NotLike,
                    "in" => Operator::In,
                    _ => return None,
                };
                let decode = |text| Some(percent_decode_str(text).decode_utf8().ok()?.into_owned());
                Some((decode(field)?, operator, decode(value)?))
            });
            pairs.push(parsed.ok_or_else(|| {
                refused(
                    "X-Pagination-Filter must be field:op=value pairs joined by &, op one of eq, \
                     ne, nq, lt, gt, like, nlike, in",
                )
            })?);
        }
        Ok(Self(pairs))
    }

    fn fits(&self, object: &Value) -> bool {
        self.0.iter().all(|(field, operator, wanted)| {
            let there = text(object.get(field));
            match operator {
                Operator::Eq => there == *wanted,
                Operator::Ne => there != *wanted,
                Operator::Lt => order(&there, wanted) == Ordering::Less,
                Operator::Gt => order(&there, wanted) == Ordering::Greater,
                Operator::Like => like(wanted, &there),
                Operator::NotLike => !like(wanted, &there),
                Operator::In => wanted.split(',').any(|one| one == there),
            }
        })
    }
}

fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn compare(one: Option<&Value>, other: Option<&Value>) -> Ordering {
    order(&text(one), &text(other))
}

/// Compares two values: numbers by value, everything else as text.
fn order(one: &str, other: &str) -> Ordering {
    match (one.parse::<f64>(), other.parse::<f64>()) {
        (Ok(a), Ok(b)) => a.total_cmp(&b),
        _ => one.cmp(other),
    }
}

/// Matches a text with a pattern where `%` is any run of characters; ignores case.
fn like(pattern: &str, text: &str) -> bool {
    gatewright_iam::like(&pattern.to_lowercase(), &text.to_lowercase(), '%')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn fits(filter: &str) -> bool {
        Filter::parse(filter).unwrap().fits(&json!({"name": "Tea & cake", "age": 9, "none": null}))
    }

    #[test]
    fn every_operator_compares_as_named() {
        for (filter, holds) in [
            ("name:eq=Tea%20%26%20cake", true),
            ("name:ne=x", true),
            ("name:nq=Tea%20%26%20cake", false),
            ("age:lt=10", true),
            ("age:gt=10", false),
            ("name:like=%25CAKE", true),
            ("name:nlike=%25cake", false),
            ("age:in=8,9", true),
            ("none:eq=", true),
            ("age:gt=1&name:like=tea%25", true),
            ("age:gt=1&name:like=coffee%25", false),
        ] {
            assert_eq!(fits(filter), holds, "{filter}");
        }
        for wrong in ["name", "name:is=x", "name=x", "%FF:eq=x"] {
            assert!(Filter::parse(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_filter_is_read_or_refused(text in "([a-z]{0,3}:?(eq|in|like|lt)?=?%?\\PC{0,4}&?){0,3}") {
            if let Ok(filter) = Filter::parse(&text) {
                let _ = filter.fits(&json!({"a": "b"}));
            }
        }
    }
}
