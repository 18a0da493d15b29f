//! Implements `gatewright serve`.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use clap::Args;
use gatewright_api::{Api, client_ip};
use gatewright_iam::{Iam, ServerLock, Sources};
use gatewright_panel::Panel;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use tokio::runtime::Handle;

use crate::acceptor_pool::AcceptorPool;
use crate::account::SHARED_REGISTRATION;
use crate::config::{Config, Source, Timeouts};
use crate::descriptors::{self, ConnectionQuotas, Envoys, OPERATIONS};
use crate::dispatcher::Dispatcher;
use crate::error::Failure;
use crate::listener::{BodyLimits, Budget, ConnectionLimits, Listener};
use crate::metrics::Metrics;
use crate::{log, operations};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    source: Source,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let config = arguments.source.read()?;
    log::start(&config)?;
    let server = Server::open(config).await?;
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
        // It keeps other servers from the database file for as long as this one runs.
        iam.hold(lock)?;
        if iam.shares_registration().await? {
            tracing::warn!("{SHARED_REGISTRATION}");
        }
        Ok(Self { iam, config, trusted_proxies, listener, operations, ext_authz, quotas, metrics })
    }

    /// Serves until a signal to stop; calls `ready` once connections are accepted.
    pub(crate) async fn run(self, ready: impl FnOnce(&Iam)) -> Result<(), Failure> {
        let quotas = self.quotas;
        let per_address = self.config.max_connections_per_address;
        let trusted = self.trusted_proxies;
        let listener = |listener, name, (total, per_address), trusted_proxies, bodies| {
            let limits = ConnectionLimits { total, per_address, trusted_proxies, bodies };
            Listener::new(listener, name, limits).map_err(Failure::Serve)
        };
        let address = |local: std::io::Result<SocketAddr>| local.map_err(Failure::Serve);
        let (api_address, operations_address) =
            (address(self.listener.local_addr())?, address(self.operations.local_addr())?);
        let timeouts = self.config.timeouts.clone();
        let memory = self.config.max_body_memory;
        let of_clients = Budget::of_clients(memory);
        let bodies = |budget| BodyLimits::new(timeouts.body, budget);
        let options = gatewright_api::Options { trusted_proxies: trusted.clone() };
        let api = Arc::new(Api::new(Arc::clone(&self.iam), options));
        let router = operations::router(Arc::clone(&self.iam), Arc::clone(&api), self.metrics);
        let operations = listener(
            self.operations,
            "operations",
            (OPERATIONS, OPERATIONS),
            trusted.clone(),
            Budget::OPERATORS,
        )?;
        let operations =
            tokio::spawn(operations.serve(router, timeouts.clone(), bodies(Budget::OPERATORS)));
        let of_envoys = Budget::of_envoys(memory);
        // Whoever reaches this listener is an Envoy, and HTTP/2 ends without losing a request.
        let anywhere: [IpNet; 2] = [Ipv4Net::default().into(), Ipv6Net::default().into()];
        let limits = (quotas.envoys, quotas.envoys);
        let envoys = |socket| listener(socket, "ext-authz", limits, anywhere.to_vec(), of_envoys);
        let ext_authz = self.ext_authz.map(envoys).transpose()?;
        let ext_authz = ext_authz.map(|listener| {
            let router = gatewright_api::ext_authz(Arc::clone(&self.iam));
            let timeouts = Timeouts { proxy_idle: timeouts.idle, ..timeouts.clone() };
            tokio::spawn(listener.serve(router, timeouts, bodies(of_envoys)))
        });

        let forwarding = trusted.clone();
        let address_of = Box::new(move |parts: &Parts| {
            let peer = parts.extensions.get().map(|ConnectInfo(peer)| *peer);
            client_ip(peer, &parts.headers, &forwarding)
        });
        let options = gatewright_panel::Options { address_of };
        let panel = Panel::new(Arc::clone(&self.iam), options)?;
        let rest = gatewright_api::router(Arc::clone(&api));
        let pages = gatewright_panel::router(Arc::new(panel), rest);
        let dispatcher = Dispatcher { api, pages, runtime: Handle::current() };
        let mut pool = AcceptorPool::start(&dispatcher, &(timeouts.clone(), bodies(of_clients)))
            .map_err(Failure::Serve)?;
        let listener =
            listener(self.listener, "clients", (quotas.clients, per_address), trusted, of_clients)?;

        tracing::info!(address = %api_address, operations = %operations_address, "ready");
        ready(&self.iam);
        tokio::select! {
            () = shutdown_signal() => {}
            () = pool.accept(&listener) => {}
        }
        tracing::info!("stopping");
        // From now on, the operating system refuses connections.
        drop(listener);
        self.iam.stop();
        pool.shut_down().await;
        operations.abort();
        if let Some(ext_authz) = ext_authz {
            ext_authz.abort();
        }
        self.iam.close().await;
        tracing::info!("stopped");
        Ok(())
    }
}

/// Waits for SIGTERM or SIGINT.
async fn shutdown_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut terminate), Ok(mut interrupt)) =
            (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
        else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = tokio::signal::ctrl_c().await;
}
