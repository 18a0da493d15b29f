//! Sets up an installation whose requests are dispatched in process, on the thread of the test.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE};
use axum::http::{HeaderMap, Request, StatusCode};
use gatewright_api::Api;
use gatewright_iam::{
    AccountName, Attempt, Grant, Iam, InitialServiceAccount, MasterKey, NewAccount, Origin,
    Settings, SignedIn, Sources,
};
use gatewright_panel::Panel;
use gatewright_testing::TestDatabase;
use serde_json::json;
use tokio::runtime::Handle;

use crate::dispatcher::{Connection, Dispatcher};

pub(super) const ACCOUNT: &str = "xx11111-ovh";
const PASSWORD: &str = "correct horse battery";

/// An installation with one account, and the credentials of a service account that may do
/// everything, and of the owner.
pub(super) struct Installation {
    pub(super) iam: Arc<Iam>,
    pub(super) service_account: InitialServiceAccount,
    pub(super) token: String,
    /// The cookies of the owner's session.
    pub(super) cookies: String,
    dispatcher: Arc<Dispatcher>,
    _database: TestDatabase,
}

/// A response that was read.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

/// The kinds of credentials that a request can bring.
#[derive(Clone, Copy, Debug)]
pub(super) enum Credential {
    None,
    Token,
    Client,
    Session,
}

/// The body of a request.
#[derive(Clone, Copy)]
pub(super) enum Payload<'p> {
    None,
    Json(&'p str),
    Form(&'p str),
}

impl Installation {
    pub(super) async fn new() -> Self {
        Self::with(Sources::system()).await
    }

    /// Sets up an installation with other sources of time and randomness.
    pub(super) async fn with(sources: Sources) -> Self {
        let database = TestDatabase::sqlite();
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("master.key");
        MasterKey::create(&key, &sources).unwrap();
        let master = MasterKey::read(&key).unwrap();
        let settings = Settings::new("http://iam.test".to_owned());
        let address = database.address.parse().unwrap();
        let iam = Iam::open(&address, master, settings, sources).await.unwrap();
        let new = NewAccount {
            name: ACCOUNT.to_owned(),
            email: "owner@example.com".to_owned(),
            password: PASSWORD.to_owned().into(),
            service_account: true,
        };
        let service_account = iam.create_account(new).await.unwrap().unwrap();
        iam.declare_api(
            &iam.as_owner(&AccountName::new(ACCOUNT)),
            "library",
            Ok(library().to_string()),
        )
        .await
        .unwrap();
        let token = token(&iam, &service_account).await;
        let cookies = sign_in(&iam).await;
        let dispatcher = Arc::new(dispatcher(&iam));
        Self { iam, service_account, token, cookies, dispatcher, _database: database }
    }

    pub(super) fn dispatcher(&self) -> &Dispatcher {
        &self.dispatcher
    }

    /// Sends a request, and reads the response.
    pub(super) async fn send(
        &self,
        (method, target): (&str, &str),
        credential: Credential,
        payload: Payload<'_>,
        headers: &[(&str, &str)],
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(target);
        request = match credential {
            Credential::Token => request.header(AUTHORIZATION, format!("Bearer {}", self.token)),
            Credential::Session => request.header(COOKIE, &self.cookies),
            Credential::None | Credential::Client => request,
        };
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (content_type, body) = match payload {
            Payload::None => (None, String::new()),
            Payload::Json(text) => (Some("application/json"), text.to_owned()),
            Payload::Form(text) => (Some("application/x-www-form-urlencoded"), text.to_owned()),
        };
        let body = if matches!(credential, Credential::Client) {
            let InitialServiceAccount { client_id, secret } = &self.service_account;
            format!("{body}&client_id={client_id}&client_secret={}", secret.reveal())
        } else {
            body
        };
        if let Some(content_type) = content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        let connection = Arc::new(Connection::new(&self.dispatcher, peer));
        let Ok(response) = connection.handle(request.body(Body::from(body)).unwrap()).await;
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Reply { status: parts.status, headers: parts.headers, body }
    }
}

fn dispatcher(iam: &Arc<Iam>) -> Dispatcher {
    let api = Arc::new(Api::new(Arc::clone(iam), gatewright_api::Options::default()));
    let options = gatewright_panel::Options { address_of: Box::new(|_| None) };
    let panel = Panel::new(Arc::clone(iam), options).unwrap();
    let rest = gatewright_api::router(Arc::clone(&api));
    let pages = gatewright_panel::router(Arc::new(panel), rest);
    Dispatcher { api, pages, runtime: Handle::current() }
}

/// Declares an operation that needs an action on a book, and one that is public.
fn library() -> serde_json::Value {
    json!({
        "openapi": "3.1.0", "info": {"title": "Library"},
        "paths": {
            "/books/{isbn}": {"get": {
                "summary": "Read a book",
                "x-iam-actions": [{"name": "book:library:get"}],
                "x-iam-resource": {"type": "book", "in": "path", "name": "isbn"},
            }},
            "/hours": {"get": {"summary": "When it is open", "x-iam-public": true}},
        },
    })
}

async fn token(iam: &Iam, service_account: &InitialServiceAccount) -> String {
    let grant = Grant {
        client_id: service_account.client_id.clone(),
        client_secret: service_account.secret.clone(),
        scope: Some("all".to_owned()),
        projects: None,
    };
    let issued = iam.issue(&grant, (None, iam.new_query_id(), iam.now())).await.unwrap();
    issued.access_token.reveal().to_owned()
}

async fn sign_in(iam: &Iam) -> String {
    let origin = Origin {
        user_agent: "test".to_owned(),
        ip: Some(IpAddr::from(Ipv4Addr::LOCALHOST)),
        device: None,
        query_id: iam.new_query_id(),
        now: iam.now(),
    };
    let attempt =
        Attempt { login: ACCOUNT.to_owned(), password: PASSWORD.to_owned().into(), origin };
    let SignedIn::Whole(session) = iam.sign_in(attempt).await.unwrap() else {
        panic!("a code is asked for");
    };
    format!("gatewright={}; gatewright-form=x", session.reveal().reveal())
}
