//! Guards a tower service by the policies of a Gatewright.
//!
//! It verifies tokens by the published keys, evaluates access in batches, caches each decision for a
//! second, and fails closed. Its service account needs
//! `account:apiovh:iam/authorization/evaluate` on its own account.

#![allow(clippy::disallowed_methods, reason = "a client library: its caller passes no clock in")]

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::future::try_join_all;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use quick_cache::sync::Cache;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tokio::sync::{Mutex, mpsc, oneshot};
use tower_layer::Layer;
use tower_service::Service;

/// Lifetime of a cached decision.
const DECISION_LIFETIME: Duration = Duration::from_secs(1);
/// Timeout of a request to Gatewright; after it, access is denied.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Lifetime of the published keys.
const KEYS_LIFETIME: Duration = Duration::from_mins(5);
/// Minimum interval between two requests for the keys when tokens name unknown ones.
const KEYS_RETRY_INTERVAL: Duration = Duration::from_secs(2);
/// Limit of cached identities, and of cached decisions.
const CACHE_CAPACITY: usize = 100_000;
/// Limit of evaluations in one request.
const BATCH_SIZE: usize = 500;

/// A permission: an action, and the type and the name of the resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Permission(pub &'static str, pub &'static str, pub String);

/// The future permissions that a request requires, all of them; none to deny it to everybody.
pub type RequiredPermissions<'p> =
    Pin<Box<dyn Future<Output = Option<Vec<Permission>>> + Send + 'p>>;

/// The URN of a token's owner, which handlers find among the extensions of a request.
#[derive(Debug, Clone)]
pub struct Identity(pub String);

/// The reason why a request is denied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// The request has no valid token.
    #[error("This credential is not valid")]
    Unauthenticated,
    /// These actions are not allowed.
    #[error("This call needs rights that you do not have")]
    Forbidden(Vec<&'static str>),
    /// Gatewright cannot be reached.
    #[error("The authorization service cannot be reached: try again")]
    Unavailable,
}

/// The caller of an allowed request, or the reason why it is denied.
pub type CheckResult = Result<Identity, AccessError>;

/// The settings of a guard.
#[derive(Clone)]
pub struct Settings {
    /// The public URL of the Gatewright server, which issues the tokens, without a trailing slash.
    pub url: String,
    /// The client id and the client secret of the guard's own service account.
    pub credentials: (String, String),
    /// The account that owns all unregistered resources.
    pub account: String,
}

type DecisionKey = (Arc<str>, Permission, Option<IpAddr>);
type PendingEvaluation = (Value, oneshot::Sender<bool>);

/// A guard: verifies tokens and checks permissions. All clones share their caches.
#[derive(Clone)]
pub struct Guard(Arc<Inner>);

struct Inner {
    settings: Settings,
    http: Client,
    keys: Mutex<Option<(JwkSet, Instant)>>,
    identities: Cache<Arc<str>, (Identity, Instant)>,
    decisions: Cache<DecisionKey, (bool, Instant)>,
    queue: mpsc::UnboundedSender<PendingEvaluation>,
}

impl Guard {
    /// Creates a guard. Must be called inside a tokio runtime, where it sends its requests.
    pub fn new(settings: Settings) -> Self {
        let (queue, pending) = mpsc::unbounded_channel();
        tokio::spawn(evaluate(settings.clone(), pending));
        let (identities, decisions) = (Cache::new(CACHE_CAPACITY), Cache::new(CACHE_CAPACITY));
        let (http, keys) = (Client::new(), Mutex::default());
        Self(Arc::new(Inner { settings, http, keys, identities, decisions, queue }))
    }

    /// Creates a layer that requires the permissions that a function returns for a request. For
    /// conditions on the caller's address, the function must put an [`IpAddr`] among the
    /// extensions.
    pub fn layer(
        &self,
        required: impl Fn(&mut Parts) -> RequiredPermissions<'_> + Send + Sync + 'static,
    ) -> GuardLayer {
        GuardLayer { guard: self.clone(), required: Arc::new(required) }
    }

    /// Verifies a token, and checks that its owner has all required permissions from that address.
    /// If none are required, everybody is denied.
    pub async fn check(
        &self,
        token: &str,
        required: &[Permission],
        ip: Option<IpAddr>,
    ) -> CheckResult {
        let token = Arc::from(token);
        let identity = self.authenticate(&token).await?;
        let keys = required.iter().map(|one| (Arc::clone(&token), one.clone(), ip));
        let decisions = try_join_all(keys.map(|key| self.is_allowed(key))).await?;
        let missing = required.iter().zip(decisions).filter(|(_, allowed)| !allowed);
        let missing: Vec<&str> = missing.map(|(permission, _)| permission.0).collect();
        let allowed = missing.is_empty() && !required.is_empty();
        if allowed { Ok(identity) } else { Err(AccessError::Forbidden(missing)) }
    }

    /// Verifies the signature and the claims of a token.
    async fn authenticate(&self, token: &Arc<str>) -> CheckResult {
        let cached = self.0.identities.get(token).filter(|(_, until)| *until > Instant::now());
        if let Some((identity, _)) = cached {
            return Ok(identity);
        }
        let header = decode_header(&**token).map_err(|_| AccessError::Unauthenticated)?;
        let id = header.kid.filter(|_| header.typ.as_deref() == Some("at+jwt"));
        let id = id.ok_or(AccessError::Unauthenticated)?;
        let mut keys = self.0.keys.lock().await;
        let is_known = keys.as_ref().is_some_and(|(set, _)| set.find(&id).is_some());
        let lifetime = if is_known { KEYS_LIFETIME } else { KEYS_RETRY_INTERVAL };
        if keys.as_ref().is_none_or(|(_, at)| at.elapsed() > lifetime) {
            let url = format!("{}/auth/oauth2/jwks", self.0.settings.url);
            *keys = Some((send(self.0.http.get(url)).await?, Instant::now()));
        }
        let key = keys.as_ref().and_then(|(set, _)| set.find(&id));
        let key = key.ok_or(AccessError::Unauthenticated)?;
        // The key names the algorithm, never the token (algorithm confusion).
        let algorithm = key.common.key_algorithm.and_then(|one| one.to_string().parse().ok());
        let mut validation = Validation::new(algorithm.ok_or(AccessError::Unauthenticated)?);
        validation.leeway = 0;
        validation.set_issuer(&[&self.0.settings.url]);
        validation.set_audience(&[&self.0.settings.url]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        let claims = DecodingKey::from_jwk(key)
            .and_then(|key| decode::<Value>(&**token, &key, &validation))
            .map_err(|_| AccessError::Unauthenticated)?
            .claims;
        let urn = claims.get("sub").and_then(Value::as_str).ok_or(AccessError::Unauthenticated)?;
        let expires = claims.get("exp").and_then(Value::as_u64);
        let expires = expires.ok_or(AccessError::Unauthenticated)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_err(|_| AccessError::Unavailable)?;
        // Cached no longer than its key.
        let lifetime = Duration::from_secs(expires).saturating_sub(now).min(KEYS_LIFETIME);
        let until = Instant::now() + lifetime;
        let identity = Identity(urn.to_owned());
        self.0.identities.insert(Arc::clone(token), (identity.clone(), until));
        Ok(identity)
    }

    /// Decides whether a permission is granted.
    async fn is_allowed(&self, key: DecisionKey) -> Result<bool, AccessError> {
        // The lifetime begins with the request, not with the response.
        let now = Instant::now();
        let cached = self.0.decisions.get(&key).filter(|(_, at)| *at + DECISION_LIFETIME > now);
        if let Some((allowed, _)) = cached {
            return Ok(allowed);
        }
        let (token, Permission(action, resource_type, name), ip) = &key;
        let owner = json!({"account": self.0.settings.account});
        let evaluation = json!({
            "subject": {"type": "token", "id": &**token},
            "action": {"name": action},
            "resource": {"type": resource_type, "id": name, "properties": owner},
            "context": ip.map_or_else(|| json!({}), |ip| json!({ "ip": ip })),
        });
        let (answer, allowed) = oneshot::channel();
        let _ = self.0.queue.send((evaluation, answer));
        let allowed = allowed.await.map_err(|_| AccessError::Unavailable)?;
        self.0.decisions.insert(key, (allowed, now));
        Ok(allowed)
    }
}

/// Evaluates the queued decisions in batches: those that arrive meanwhile go into the next batch.
///
/// An evaluation that is dropped without an answer counts as unavailable.
async fn evaluate(settings: Settings, mut queue: mpsc::UnboundedReceiver<PendingEvaluation>) {
    let (http, mut cached_token, mut batch) = (Client::new(), None, Vec::new());
    while queue.recv_many(&mut batch, BATCH_SIZE).await > 0 {
        let (evaluations, answers): (Vec<Value>, Vec<_>) = batch.drain(..).unzip();
        let token = match cached_token.take().filter(|(_, until)| *until > Instant::now()) {
            Some(token) => Ok(token),
            None => request_token(&http, &settings).await,
        };
        let Ok(token) = token else { continue };
        let request = http.post(format!("{}/access/v1/evaluations", settings.url));
        let request = request.bearer_auth(&token.0).json(&json!({ "evaluations": evaluations }));
        // After a failure the token may have been revoked: the next batch requests another.
        let Ok(response) = send::<Value>(request).await else { continue };
        cached_token = Some(token);
        let decisions = response.get("evaluations").and_then(Value::as_array);
        for (answer, decision) in answers.into_iter().zip(decisions.into_iter().flatten()) {
            let _ = answer.send(decision.get("decision") == Some(&Value::Bool(true)));
        }
    }
}

/// Requests an access token for the guard itself, which is replaced a minute before it expires.
async fn request_token(
    http: &Client,
    settings: &Settings,
) -> Result<(String, Instant), AccessError> {
    let form = [("grant_type", "client_credentials"), ("scope", "all")];
    let request = http.post(format!("{}/auth/oauth2/token", settings.url)).form(&form);
    let (id, secret) = &settings.credentials;
    let response: Value = send(request.basic_auth(id, Some(secret))).await?;
    let token = response.get("access_token").and_then(Value::as_str);
    let lifetime = response.get("expires_in").and_then(Value::as_u64);
    let (token, lifetime) = token.zip(lifetime).ok_or(AccessError::Unavailable)?;
    Ok((token.to_owned(), Instant::now() + Duration::from_secs(lifetime.saturating_sub(60))))
}

async fn send<T: serde::de::DeserializeOwned>(request: RequestBuilder) -> Result<T, AccessError> {
    let sent = request.timeout(TIMEOUT).send().await.and_then(reqwest::Response::error_for_status);
    sent.map_err(|_| AccessError::Unavailable)?.json().await.map_err(|_| AccessError::Unavailable)
}

/// A layer that wraps a service in a guard.
#[derive(Clone)]
pub struct GuardLayer {
    guard: Guard,
    required: Arc<dyn Fn(&mut Parts) -> RequiredPermissions<'_> + Send + Sync>,
}

impl GuardLayer {
    async fn authorize(&self, parts: &mut Parts) -> CheckResult {
        let required = (self.required)(parts).await;
        let token = bearer(&parts.headers).ok_or(AccessError::Unauthenticated)?;
        let ip = parts.extensions.get::<IpAddr>().copied();
        self.guard.check(token, required.as_deref().unwrap_or_default(), ip).await
    }
}

/// Extracts the bearer token; none if there are several headers.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (scheme, token) = values.next()?.to_str().ok()?.split_once(' ')?;
    (values.next().is_none() && scheme.eq_ignore_ascii_case("bearer")).then(|| token.trim())
}

impl<S> Layer<S> for GuardLayer {
    type Service = GuardService<S>;

    fn layer(&self, inner: S) -> GuardService<S> {
        GuardService(inner, self.clone())
    }
}

/// A service whose allowed requests reach the inner service.
#[derive(Clone)]
pub struct GuardService<S>(S, GuardLayer);

impl<S, In, Out> Service<Request<In>> for GuardService<S>
where
    S: Service<Request<In>, Response = Response<Out>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    In: Send + 'static,
    Out: From<String>,
{
    type Response = Response<Out>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Out>, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<In>) -> Self::Future {
        let Self(inner, layer) = self.clone();
        let mut inner = std::mem::replace(&mut self.0, inner);
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            match layer.authorize(&mut parts).await {
                Ok(identity) => {
                    parts.extensions.insert(identity);
                    inner.call(Request::from_parts(parts, body)).await
                }
                Err(error) => Ok(error_response(&error)),
            }
        })
    }
}

/// Creates the response to a denied request, in the format of Gatewright's own errors.
fn error_response<Out: From<String>>(error: &AccessError) -> Response<Out> {
    let (status, class, missing) = match error {
        AccessError::Unauthenticated => (StatusCode::UNAUTHORIZED, "Client::Unauthorized", ""),
        AccessError::Forbidden(all) => {
            (StatusCode::FORBIDDEN, "Client::Forbidden", &*all.join(","))
        }
        AccessError::Unavailable => {
            (StatusCode::SERVICE_UNAVAILABLE, "Server::ServiceUnavailable", "")
        }
    };
    let missing = json!({ "unauthorizedActionsByIAM": missing });
    let body = json!({"class": class, "message": error.to_string(), "details": missing});
    let mut response = Response::new(Out::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}
