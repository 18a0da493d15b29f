//! Guards a tower service by the policies of a Gatewright: checks tokens by the published keys, asks
//! for decisions in batches, remembers each for a second, and lets nothing pass that it cannot ask
//! about. Who asks needs `account:apiovh:iam/authorization/evaluate` on their own account.

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

/// A decision is remembered for so long.
const FRESH: Duration = Duration::from_secs(1);
/// Who cannot be asked within this time has not allowed it.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Keys are fetched anew after so long, and for an unknown one not more often than so.
const KEYS: (Duration, Duration) = (Duration::from_mins(5), Duration::from_secs(2));

/// An action, and what it is done on: the type and the name of the resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Need(pub &'static str, pub &'static str, pub String);

/// What a request needs, of which all must be allowed; none for what nobody may.
pub type Needs<'p> = Pin<Box<dyn Future<Output = Option<Vec<Need>>> + Send + 'p>>;

/// The URN of whoever a token belongs to. Handlers find it among the extensions of a request.
#[derive(Debug, Clone)]
pub struct Identity(pub String);

/// Why a request does not pass.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It brings no token that counts.
    #[error("This credential is not valid")]
    Unauthenticated,
    /// These actions are not allowed.
    #[error("This call needs rights that you do not have")]
    Forbidden(Vec<&'static str>),
    /// Nobody can be asked.
    #[error("Nobody can say now whether this is allowed: try again")]
    Unavailable,
}

/// Who passes, or why nobody does.
pub type Passed = Result<Identity, Refused>;

/// Whom to ask, and in whose name.
#[derive(Clone)]
pub struct Settings {
    /// The public URL of a Gatewright, the issuer of its tokens, without a slash at its end.
    pub url: String,
    /// The identifier and the secret of the service account that asks.
    pub credentials: (String, String),
    /// The account that owns what no registrar has registered.
    pub account: String,
}

type DecisionKey = (Arc<str>, Need, Option<IpAddr>);
type PendingCheck = (Value, oneshot::Sender<bool>);

/// Checks tokens and rights. All clones share what they remember.
#[derive(Clone)]
pub struct Guard(Arc<Inner>);

struct Inner {
    settings: Settings,
    http: Client,
    keys: Mutex<Option<(JwkSet, Instant)>>,
    identities: Cache<Arc<str>, (Identity, Instant)>,
    decisions: Cache<DecisionKey, (bool, Instant)>,
    waiting: mpsc::UnboundedSender<PendingCheck>,
}

impl Guard {
    /// Must be called inside a tokio runtime, where the questions are asked.
    pub fn new(settings: Settings) -> Self {
        let (waiting, questions) = mpsc::unbounded_channel();
        tokio::spawn(ask(settings.clone(), questions));
        let (identities, decisions) = (Cache::new(100_000), Cache::new(100_000));
        let (http, keys) = (Client::new(), Mutex::default());
        Self(Arc::new(Inner { settings, http, keys, identities, decisions, waiting }))
    }

    /// A layer that finds out what a request needs by a function. Where conditions on the caller's
    /// address are to hold, the function must put an [`IpAddr`] among the extensions.
    pub fn layer(
        &self,
        needs: impl Fn(&mut Parts) -> Needs<'_> + Send + Sync + 'static,
    ) -> GuardLayer {
        GuardLayer { guard: self.clone(), needs: Arc::new(needs) }
    }

    /// Who a token belongs to, if they may do all that is needed from there. Where nothing is
    /// needed, nobody may.
    pub async fn check(&self, token: &str, needs: &[Need], ip: Option<IpAddr>) -> Passed {
        let token = Arc::from(token);
        let identity = self.identify(&token).await?;
        let asked = needs.iter().map(|need| self.may((Arc::clone(&token), need.clone(), ip)));
        let answers = try_join_all(asked).await?;
        let missing = needs.iter().zip(answers).filter(|(_, allowed)| !allowed);
        let missing: Vec<&str> = missing.map(|(need, _)| need.0).collect();
        let allowed = missing.is_empty() && !needs.is_empty();
        if allowed { Ok(identity) } else { Err(Refused::Forbidden(missing)) }
    }

    /// Who a token belongs to, by its signature.
    async fn identify(&self, token: &Arc<str>) -> Passed {
        let known = self.0.identities.get(token).filter(|(_, until)| *until > Instant::now());
        if let Some((identity, _)) = known {
            return Ok(identity);
        }
        let header = decode_header(&**token).map_err(|_| Refused::Unauthenticated)?;
        let id = header.kid.filter(|_| header.typ.as_deref() == Some("at+jwt"));
        let id = id.ok_or(Refused::Unauthenticated)?;
        let mut keys = self.0.keys.lock().await;
        let known = keys.as_ref().is_some_and(|(set, _)| set.find(&id).is_some());
        let pause = if known { KEYS.0 } else { KEYS.1 };
        if keys.as_ref().is_none_or(|(_, at)| at.elapsed() > pause) {
            let url = format!("{}/auth/oauth2/jwks", self.0.settings.url);
            *keys = Some((send(self.0.http.get(url)).await?, Instant::now()));
        }
        let key = keys.as_ref().and_then(|(set, _)| set.find(&id));
        let key = key.ok_or(Refused::Unauthenticated)?;
        // The key says what it signs with, and not the token.
        let algorithm = key.common.key_algorithm.and_then(|one| one.to_string().parse().ok());
        let mut validation = Validation::new(algorithm.ok_or(Refused::Unauthenticated)?);
        validation.leeway = 0;
        validation.set_issuer(&[&self.0.settings.url]);
        validation.set_audience(&[&self.0.settings.url]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        let claims = DecodingKey::from_jwk(key)
            .and_then(|key| decode::<Value>(&**token, &key, &validation))
            .map_err(|_| Refused::Unauthenticated)?
            .claims;
        let urn = claims.get("sub").and_then(Value::as_str).ok_or(Refused::Unauthenticated)?;
        let expires = claims.get("exp").and_then(Value::as_u64).unwrap_or_default();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // Remembered for no longer than its key is known to be good.
        let until = Instant::now() + Duration::from_secs(expires).saturating_sub(now).min(KEYS.0);
        let identity = Identity(urn.to_owned());
        self.0.identities.insert(Arc::clone(token), (identity.clone(), until));
        Ok(identity)
    }

    async fn may(&self, key: DecisionKey) -> Result<bool, Refused> {
        // A decision is as fresh as when it was asked for, not as when the answer came.
        let now = Instant::now();
        let known = self.0.decisions.get(&key).filter(|(_, at)| *at + FRESH > now);
        if let Some((allowed, _)) = known {
            return Ok(allowed);
        }
        let (token, Need(action, kind, name), ip) = &key;
        let owner = json!({"account": self.0.settings.account});
        let question = json!({
            "subject": {"type": "token", "id": &**token},
            "action": {"name": action},
            "resource": {"type": kind, "id": name, "properties": owner},
            "context": ip.map_or_else(|| json!({}), |ip| json!({ "ip": ip })),
        });
        let (answer, allowed) = oneshot::channel();
        let _ = self.0.waiting.send((question, answer));
        let allowed = allowed.await.map_err(|_| Refused::Unavailable)?;
        self.0.decisions.insert(key, (allowed, now));
        Ok(allowed)
    }
}

/// Asks what waits, up to 500 questions at once, and what has come meanwhile with the next request.
/// A question that is dropped without an answer is refused.
async fn ask(settings: Settings, mut waiting: mpsc::UnboundedReceiver<PendingCheck>) {
    let (http, mut own, mut batch) = (Client::new(), None, Vec::new());
    while waiting.recv_many(&mut batch, 500).await > 0 {
        let (questions, answers): (Vec<Value>, Vec<_>) = batch.drain(..).unzip();
        let token = match own.take().filter(|(_, until)| *until > Instant::now()) {
            Some(token) => Ok(token),
            None => log_in(&http, &settings).await,
        };
        let Ok(token) = token else { continue };
        let request = http.post(format!("{}/access/v1/evaluations", settings.url));
        let request = request.bearer_auth(&token.0).json(&json!({ "evaluations": questions }));
        // Where it fails, perhaps its own token was taken back.
        let Ok(said) = send::<Value>(request).await else { continue };
        own = Some(token);
        let decisions = said.get("evaluations").and_then(Value::as_array);
        for (answer, decision) in answers.into_iter().zip(decisions.into_iter().flatten()) {
            let _ = answer.send(decision.get("decision") == Some(&Value::Bool(true)));
        }
    }
}

/// A token of its own, and until when it is used.
async fn log_in(http: &Client, settings: &Settings) -> Result<(String, Instant), Refused> {
    let form = [("grant_type", "client_credentials"), ("scope", "all")];
    let request = http.post(format!("{}/auth/oauth2/token", settings.url)).form(&form);
    let (id, secret) = &settings.credentials;
    let said: Value = send(request.basic_auth(id, Some(secret))).await?;
    let token = said.get("access_token").and_then(Value::as_str).unwrap_or_default();
    let life = said.get("expires_in").and_then(Value::as_u64).unwrap_or_default();
    Ok((token.to_owned(), Instant::now() + Duration::from_secs(life.saturating_sub(60))))
}

async fn send<T: serde::de::DeserializeOwned>(request: RequestBuilder) -> Result<T, Refused> {
    let said = request.timeout(TIMEOUT).send().await.and_then(reqwest::Response::error_for_status);
    said.map_err(|_| Refused::Unavailable)?.json().await.map_err(|_| Refused::Unavailable)
}

/// Lets through what is allowed.
#[derive(Clone)]
pub struct GuardLayer {
    guard: Guard,
    needs: Arc<dyn Fn(&mut Parts) -> Needs<'_> + Send + Sync>,
}

impl GuardLayer {
    async fn admit(&self, parts: &mut Parts) -> Passed {
        let needs = (self.needs)(parts).await;
        let token = bearer(&parts.headers).ok_or(Refused::Unauthenticated)?;
        let ip = parts.extensions.get::<IpAddr>().copied();
        self.guard.check(token, needs.as_deref().unwrap_or_default(), ip).await
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut said = headers.get_all(AUTHORIZATION).iter();
    let (scheme, token) = said.next()?.to_str().ok()?.split_once(' ')?;
    (said.next().is_none() && scheme.eq_ignore_ascii_case("bearer")).then(|| token.trim())
}

impl<S> Layer<S> for GuardLayer {
    type Service = GuardService<S>;

    fn layer(&self, inner: S) -> GuardService<S> {
        GuardService(inner, self.clone())
    }
}

/// A service behind a guard.
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
            match layer.admit(&mut parts).await {
                Ok(identity) => {
                    parts.extensions.insert(identity);
                    inner.call(Request::from_parts(parts, body)).await
                }
                Err(refused) => Ok(answer(&refused)),
            }
        })
    }
}

fn answer<Out: From<String>>(refused: &Refused) -> Response<Out> {
    let (status, class, missing) = match refused {
        Refused::Unauthenticated => (StatusCode::UNAUTHORIZED, "Client::Unauthorized", ""),
        Refused::Forbidden(all) => (StatusCode::FORBIDDEN, "Client::Forbidden", &*all.join(",")),
        Refused::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "Server::ServiceUnavailable", ""),
    };
    let missing = json!({ "unauthorizedActionsByIAM": missing });
    let body = json!({"class": class, "message": refused.to_string(), "details": missing});
    let mut answer = Response::new(Out::from(body.to_string()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    answer
}
