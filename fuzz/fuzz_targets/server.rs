// The API on a database of its own, for targets that send requests.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use gatewright_api::{Api, Options, router};
use gatewright_iam::{Iam, MasterKey, NewAccount, Rates, Settings, Sources};
use tokio::runtime::Runtime;
use tower::ServiceExt;

pub struct Server {
    runtime: Runtime,
    router: Router,
    pub token: String,
    _folder: tempfile::TempDir,
}

pub fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let runtime = Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (router, token) = runtime.block_on(async {
            let key = folder.path().join("key");
            MasterKey::create(&key, &Sources::system()).unwrap();
            let mut settings = Settings::new("http://localhost".into());
            // Every request is answered, not refused for its rate.
            settings.rates = Rates::UNLIMITED;
            let database = format!("sqlite:{}", folder.path().join("db").display());
            let master = MasterKey::read(&key).unwrap();
            let iam = Iam::open(&database.parse().unwrap(), master, settings, Sources::system())
                .await
                .unwrap();
            let new = NewAccount {
                name: "xx11111-ovh".into(),
                email: "a@b.example".into(),
                password: iam.new_password().unwrap(),
                service_account: true,
            };
            let robot = iam.create_account(new).await.unwrap().unwrap();
            let grant = gatewright_iam::Grant {
                client_id: robot.client_id,
                client_secret: robot.secret,
                scope: Some("all".into()),
                projects: None,
            };
            let about = (None, iam.new_query_id(), iam.now());
            let issued = iam.issue(&grant, about).await.unwrap();
            let api = Api::new(Arc::clone(&iam), Options::default());
            (router(Arc::new(api)), issued.access_token.reveal().to_owned())
        });
        Server { runtime, router, token, _folder: folder }
    })
}

impl Server {
    /// Sends a request, and checks that the response is not a server error.
    pub fn send(&self, request: Request<Body>) -> Response<Body> {
        let answer = self.runtime.block_on(self.router.clone().oneshot(request)).unwrap();
        assert!(answer.status().as_u16() < 500, "{}", answer.status());
        answer
    }
}
