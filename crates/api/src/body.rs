//! Typed request bodies: the type that a handler takes is the schema in the OpenAPI document.

use std::marker::PhantomData;

use bytes::Bytes;
use gatewright_iam::limits::BODY_BYTES;
use gatewright_iam::{
    AnyKeys, Fault, IamError, Input, KeySchema, StrictObjects, check_keys, read_document,
};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::body_schema::{Accepted, BodySchema};
use crate::edge::wipe;
use crate::error::ApiError;
use crate::form::FormFields;
use crate::request::Request;
use crate::schema::Components;

/// A request body that a handler takes.
pub(crate) trait RequestBody: Sized + Send + 'static {
    /// The knowledge that reading needs, which is found out once.
    type Reader: Send + Sync + 'static;

    /// Prepares reading.
    fn reader() -> Self::Reader;

    /// Parses the body. An error is kept as a value, because it may be reported only after the
    /// right was checked.
    fn read(reader: &Self::Reader, request: &Request, body: Bytes) -> Self;

    /// Describes the body: its media types, each with its schema.
    fn describe(components: &mut Components) -> Vec<(&'static str, Value)>;

    /// Checks that an example is valid.
    #[cfg(test)]
    fn check(example: &Value) -> Result<(), String>;
}

/// A JSON object that is written, or the error of parsing it. A key that it does not have is an
/// error: who writes `condition` wants a condition.
pub(crate) struct Body<T>(pub(crate) Input<T>);

impl<T: DeserializeOwned + Accepted + Send + 'static> RequestBody for Body<T> {
    type Reader = BodySchema;

    fn reader() -> BodySchema {
        BodySchema::of::<T>()
    }

    fn read(schema: &BodySchema, _: &Request, body: Bytes) -> Self {
        // It may hold a password.
        let input = read_json(&body, schema.root());
        wipe(body);
        Self(input)
    }

    fn describe(components: &mut Components) -> Vec<(&'static str, Value)> {
        vec![("application/json", components.one::<T>())]
    }

    #[cfg(test)]
    fn check(example: &Value) -> Result<(), String> {
        let read = read_json::<T>(example.to_string().as_bytes(), Self::reader().root());
        read.map(drop).map_err(|error| error.to_string())
    }
}

/// A JSON object that asks and writes nothing, or the error of parsing it. Unknown keys are ignored.
pub(crate) struct LenientBody<T>(pub(crate) Input<T>);

impl<T: DeserializeOwned + ToSchema + Send + 'static> RequestBody for LenientBody<T> {
    type Reader = ();

    fn reader() {}

    fn read((): &(), _: &Request, body: Bytes) -> Self {
        Self(read_json(&body, AnyKeys))
    }

    fn describe(components: &mut Components) -> Vec<(&'static str, Value)> {
        vec![("application/json", components.one::<T>())]
    }

    #[cfg(test)]
    fn check(example: &Value) -> Result<(), String> {
        let read = read_json::<T>(example.to_string().as_bytes(), AnyKeys);
        read.map(drop).map_err(|error| error.to_string())
    }
}

/// The text in JSON of a document of any structure, which is sent in JSON or, if its media type says
/// so, in YAML. A text takes a fraction of the memory of its values.
pub(crate) struct Document(pub(crate) Input<String>);

impl RequestBody for Document {
    type Reader = ();

    fn reader() {}

    fn read((): &(), request: &Request, body: Bytes) -> Self {
        let is_yaml = request.header("content-type").is_some_and(|kind| kind.contains("yaml"));
        if is_yaml {
            return Self(read_yaml(&body));
        }
        let text = read_json::<Box<RawValue>>(&body, AnyKeys);
        Self(text.map(|text| Box::<str>::from(text).into()))
    }

    fn describe(_: &mut Components) -> Vec<(&'static str, Value)> {
        let any = json!({"type": "object"});
        vec![("application/json", any.clone()), ("application/yaml", any)]
    }

    #[cfg(test)]
    fn check(example: &Value) -> Result<(), String> {
        example.is_object().then_some(()).ok_or_else(|| "no object".to_owned())
    }
}

/// A form (`application/x-www-form-urlencoded`) of an OAuth2 endpoint; `T` describes its fields.
pub(crate) struct Form<T> {
    pub(crate) fields: Result<FormFields, ApiError>,
    described: PhantomData<fn() -> T>,
}

impl<T: ToSchema + 'static> RequestBody for Form<T> {
    type Reader = ();

    fn reader() {}

    fn read((): &(), request: &Request, body: Bytes) -> Self {
        let fields = read_form(request, &body);
        wipe(body);
        Self { fields, described: PhantomData }
    }

    fn describe(components: &mut Components) -> Vec<(&'static str, Value)> {
        vec![(FORM, components.one::<T>())]
    }

    #[cfg(test)]
    fn check(example: &Value) -> Result<(), String> {
        let fields = example.as_object().into_iter().flatten();
        let wrong = fields.filter(|(_, value)| !value.is_string()).map(|(name, _)| name.clone());
        wrong.reduce(|all, one| format!("{all}, {one}")).map_or(Ok(()), Err)
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

/// An AuthZEN request, whose members are validated one by one; `T` describes it.
pub(crate) struct AuthZen<T> {
    pub(crate) fields: Input<Map<String, Value>>,
    described: PhantomData<fn() -> T>,
}

impl<T: ToSchema + 'static> RequestBody for AuthZen<T> {
    type Reader = ();

    fn reader() {}

    fn read((): &(), request: &Request, body: Bytes) -> Self {
        Self { fields: read_authzen(request, &body), described: PhantomData }
    }

    fn describe(components: &mut Components) -> Vec<(&'static str, Value)> {
        vec![("application/json", components.one::<T>())]
    }

    #[cfg(test)]
    fn check(example: &Value) -> Result<(), String> {
        example.is_object().then_some(()).ok_or_else(|| "no object".to_owned())
    }
}

fn read_json<T: DeserializeOwned>(body: &[u8], known: impl KeySchema) -> Input<T> {
    check_keys(body, known)?;
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(match serde_json::from_slice::<IgnoredAny>(body) {
            Ok(_) => IamError::invalid(Fault::Format, "the body must be a JSON object"),
            Err(error) => invalid_json(&error, "."),
        });
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read = T::deserialize(StrictObjects(&mut reader));
    let value = read.map_err(|error| wrong_value::<T>(body, &error))?;
    reader.end().map_err(|error| invalid_json(&error, "."))?;
    Ok(value)
}

/// Builds the error of a body with a wrong value. It is read again, which finds the path to that value,
/// and would be slower for every body.
fn wrong_value<T: DeserializeOwned>(body: &[u8], error: &serde_json::Error) -> IamError {
    let mut reader = serde_json::Deserializer::from_slice(body);
    match serde_path_to_error::deserialize::<_, T>(StrictObjects(&mut reader)) {
        Ok(_) => invalid_json(error, "."),
        Err(error) => invalid_json(error.inner(), &error.path().to_string()),
    }
}

/// Builds the error of an invalid body. A text that is not JSON gets the message that OVHcloud's
/// clients know.
fn invalid_json(error: &serde_json::Error, path: &str) -> IamError {
    if error.classify() != Category::Data {
        let message = "The input that you provided isn't valid JSON or not well formatted";
        return IamError::invalid(Fault::Input, message);
    }
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    let fault = if text.starts_with("missing field") { Fault::Missing } else { Fault::Format };
    let text = text.replace('`', "\"");
    let message = if path == "." { text } else { format!("\"{path}\": {text}") };
    IamError::invalid(fault, message)
}

fn read_yaml(body: &[u8]) -> Input<String> {
    let wrong = |message: String| IamError::invalid(Fault::Format, message);
    let text = std::str::from_utf8(body).map_err(|error| wrong(error.to_string()))?;
    let document = read_document(text).map_err(|error| wrong(error.to_string()))?.to_string();
    // Aliases let a short YAML text expand to a huge document.
    if document.len() > BODY_BYTES {
        let message = "the document must have at most 2 MiB as JSON, with its aliases written out";
        return Err(wrong(message.to_owned()));
    }
    Ok(document)
}

fn read_form(request: &Request, body: &[u8]) -> Result<FormFields, ApiError> {
    if request.media_type().is_some_and(|kind| !kind.eq_ignore_ascii_case(FORM)) {
        return Err(ApiError::invalid_request(
            "the body must be application/x-www-form-urlencoded",
        ));
    }
    let text = std::str::from_utf8(body)
        .map_err(|_| ApiError::invalid_request("the body must be a form in UTF-8"))?;
    FormFields::parse(text)
}

/// Parses an AuthZEN request. Only a body that is not a JSON object, or has a key twice, is an error:
/// everything else is answered with a denial.
fn read_authzen(request: &Request, body: &[u8]) -> Input<Map<String, Value>> {
    let wrong = |message: &str| IamError::invalid(Fault::Input, message);
    let is_json =
        request.media_type().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    if !is_json {
        return Err(wrong("the Content-Type must be application/json"));
    }
    check_keys(body, AnyKeys)?;
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(wrong("the body must be a JSON object")),
        Err(error) => Err(wrong(&format!("the body must be a JSON object: {error}"))),
    }
}
