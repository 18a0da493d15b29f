//! Implements `gatewright serve`.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use clap::Args;
use gatewright_api::{Api, client_ip};
use gatewright_iam::{Iam, ServerLock, Sources};
use gatewright_panel::Panel;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::acceptor_pool::AcceptorPool;
use crate::account::SHARED_REGISTRATION;
use crate::config::{Config, Source, Timeouts};
use crate::descriptors::{self, ConnectionQuotas, Envoys, OPERATIONS};
use crate::dispatcher::Dispatcher;
use crate::error::Failure;
use crate::listener::{BodyLimits, Budget, ConnectionLimits, Listener, ResponseMemory};
use crate::metrics::Metrics;
use crate::signals::shutdown_signal;
use crate::{log, operations};

/// The warning that the database has no accounts.
const NO_ACCOUNT: &str = "the database has no account: correct the setting database if it should have some, or make one with \
     `gatewright account create --name xx11111-ovh --email owner@example.com --service-account`";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    source: Source,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let config = arguments.source.read()?;
    log::start(&config)?;
    let database = config.database.to_string();
    let server = Server::open(config).await?;
    // A path with a mistake makes a new file.
    if server.iam.accounts().await?.is_empty() {
        tracing::warn!(database, "{}", NO_ACCOUNT);
    }
    server.run(|_| {}).await
}

/// Binds an address, before the database is opened: it may be needed for the public URL.
pub(crate) fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    let failed = |source| Failure::Listen { address, source };
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}

/// A server whose listeners are bound and whose database is open.
pub(crate) struct Server {
    pub(crate) iam: Arc<Iam>,
    config: Config,
    trusted_proxies: Vec<IpNet>,
    listener: TcpListener,
    operations: TcpListener,
    ext_authz: Option<TcpListener>,
    /// The connections of each listener.
    quotas: ConnectionQuotas,
    metrics: Metrics,
}

impl Server {
    pub(crate) async fn open(config: Config) -> Result<Self, Failure> {
        let trusted_proxies = config.trusted_proxies()?;
        let descriptors = descriptors::raise_limit();
        let envoys = config.ext_authz_listen.map_or(Envoys::None, |_| Envoys::Served);
        let quotas = ConnectionQuotas::of(descriptors, config.max_connections, envoys)?;
        tracing::info!(descriptors, connections = quotas.clients, "limits of connections");
        let listener = bind(config.listen)?;
        let operations = bind(config.operations_listen)?;
        let ext_authz = config.ext_authz_listen.map(bind).transpose()?;
        let address = listener.local_addr().map_err(Failure::Serve)?;
        let settings = config.settings(address)?;
        let master_key = config.master_key()?;
        let lock = ServerLock::acquire(&config.database)?;
        // Installed before anything is measured.
        let metrics = Metrics::install()?;
        let iam = Iam::open(&config.database, master_key, settings, Sources::system()).await?;
        // The lock keeps other servers from the database file for as long as this one runs.
        iam.begin_serving(lock).await?;
        if iam.shares_registration().await? {
            tracing::warn!("{SHARED_REGISTRATION}");
        }
        for account in iam.unknown_registrars().await? {
            tracing::warn!(%account, "a registrar is no account of this database");
        }
        Ok(Self { iam, config, trusted_proxies, listener, operations, ext_authz, quotas, metrics })
    }

    /// Serves until a signal to stop; calls `ready` once connections are accepted.
    pub(crate) async fn run(self, ready: impl FnOnce(&Iam)) -> Result<(), Failure> {
        let address = |listener: &TcpListener| listener.local_addr().map_err(Failure::Serve);
        let (api_address, operations_address) =
            (address(&self.listener)?, address(&self.operations)?);
        let Self { iam, config, trusted_proxies, quotas, .. } = self;
        let (timeouts, memory) = (&config.timeouts, config.max_body_memory);
        let options = gatewright_api::Options { trusted_proxies: trusted_proxies.clone() };
        let api = Arc::new(Api::new(Arc::clone(&iam), options));
        let router = operations::router(Arc::clone(&iam), Arc::clone(&api), self.metrics);
        let operations =
            serve_operators(self.operations, router, (timeouts, trusted_proxies.clone()))?;
        let ext_authz = self.ext_authz.map(|listener| {
            let router = gatewright_api::ext_authz(Arc::clone(&iam));
            serve_envoys(listener, router, (timeouts, quotas.envoys, memory))
        });
        let ext_authz = ext_authz.transpose()?;
        let dispatcher = dispatcher(&iam, api, &trusted_proxies)?;
        let budget = Budget::of_clients(memory);
        let responses = ResponseMemory::new(config.max_response_memory, "clients");
        let limits = (timeouts.clone(), BodyLimits::new(timeouts.body, budget), responses);
        let mut pool = AcceptorPool::start(&dispatcher, &limits).map_err(Failure::Serve)?;
        let limits = ConnectionLimits {
            total: quotas.clients,
            per_address: config.max_connections_per_address,
            trusted_proxies,
            bodies: budget,
        };
        pool.accept(self.listener, limits).map_err(Failure::Serve)?;
        // Whoever hears that the server is ready may stop it at once.
        let shutdown = shutdown_signal();

        tracing::info!(address = %api_address, operations = %operations_address, "ready");
        ready(&iam);
        let ended = tokio::select! {
            () = shutdown => Ok(()),
            () = pool.acceptor_ended() => Err(Failure::NotAccepting),
        };
        tracing::info!("stopping");
        pool.close().await;
        iam.stop();
        pool.shut_down().await;
        operations.abort();
        if let Some(ext_authz) = ext_authz {
            ext_authz.abort();
        }
        iam.close().await;
        tracing::info!("stopped");
        ended
    }
}

/// Limits the connections of a listener.
fn listen(
    listener: TcpListener,
    name: &'static str,
    limits: ConnectionLimits,
) -> Result<Listener, Failure> {
    Listener::new(listener, name, limits).map_err(Failure::Serve)
}

/// Serves operators, in a task.
fn serve_operators(
    listener: TcpListener,
    router: Router,
    (timeouts, trusted_proxies): (&Timeouts, Vec<IpNet>),
) -> Result<JoinHandle<()>, Failure> {
    let (total, per_address, bodies) = (OPERATIONS, OPERATIONS, Budget::OPERATORS);
    let limits = ConnectionLimits { total, per_address, trusted_proxies, bodies };
    let listener = listen(listener, "operations", limits)?;
    let bodies = BodyLimits::new(timeouts.body, bodies);
    Ok(tokio::spawn(listener.serve(router, timeouts.clone(), bodies)))
}

/// Serves Envoys, in a task.
fn serve_envoys(
    listener: TcpListener,
    router: Router,
    (timeouts, connections, memory): (&Timeouts, usize, usize),
) -> Result<JoinHandle<()>, Failure> {
    // Whoever reaches this listener is an Envoy, and HTTP/2 ends without losing a request.
    let anywhere = vec![Ipv4Net::default().into(), Ipv6Net::default().into()];
    let bodies = Budget::of_envoys(memory);
    let limits = ConnectionLimits {
        total: connections,
        per_address: connections,
        trusted_proxies: anywhere,
        bodies,
    };
    let listener = listen(listener, "ext-authz", limits)?;
    let bodies = BodyLimits::new(timeouts.body, bodies);
    let timeouts = Timeouts { proxy_idle: timeouts.idle, ..timeouts.clone() };
    Ok(tokio::spawn(listener.serve(router, timeouts, bodies)))
}

/// Creates the dispatcher of requests to the API and the Control Panel.
fn dispatcher(
    iam: &Arc<Iam>,
    api: Arc<Api>,
    trusted_proxies: &[IpNet],
) -> Result<Dispatcher, Failure> {
    let trusted_proxies = trusted_proxies.to_vec();
    let address_of = Box::new(move |parts: &Parts| {
        let peer = parts.extensions.get().map(|ConnectInfo(peer)| *peer);
        client_ip(peer, &parts.headers, &trusted_proxies)
    });
    let options = gatewright_panel::Options { address_of };
    let panel = Panel::new(Arc::clone(iam), options)?;
    let rest = gatewright_api::router(Arc::clone(&api));
    let pages = gatewright_panel::router(Arc::new(panel), rest);
    Ok(Dispatcher { api, pages, runtime: Handle::current() })
}
