//! `cloakroom serve`: from a checked configuration to a drained listener; at SIGHUP, to another configuration.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::exit::Failure;
use super::{ConfigFile, logging, reload, report, signals};
use crate::admin::Admin;
use crate::config::{self, Config, StoreKind};
use crate::handler::{Environment, TokenHandler};
use crate::server;

#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    config: ConfigFile,
    /// One half alone
    #[arg(long, value_enum)]
    only: Option<Half>,
}

/// What can be served alone.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Half {
    /// The OAuth agent
    Agent,
    /// The OAuth proxy
    Proxy,
}

impl Serve {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let (config, warnings) = report::read(&self.config.config)?;
        if self.only.is_some() && matches!(config.store, StoreKind::Memory { .. }) {
            return Err(Failure::config(
                "`--only` needs a store that both halves share: with `store.kind = \"memory\"` the proxy would \
                 not learn of a logout at the agent",
            ));
        }
        logging::start("info")?;
        report::log_warnings(&warnings);
        let handler = TokenHandler::new(&config, Environment::default())
            .map_err(|error| Failure::config(error.to_string()))?;
        let handler = match self.only {
            None => handler,
            Some(Half::Agent) => handler.agent_alone(),
            Some(Half::Proxy) => handler.proxy_alone(),
        };
        runtime()?.block_on(serve(self.config.config.clone(), config, handler))
    }
}

async fn serve(path: PathBuf, config: Config, handler: TokenHandler) -> Result<(), Failure> {
    // Caught before the port is taken: whoever sees the port answer may send a signal.
    let (signals, hang_ups) = signals::listen()?;
    let (listener, address) = listen(config.server.listen).await?;
    let admin = match &config.admin {
        Some(settings) => Some(Beside::start(&handler, settings).await?),
        None => None,
    };
    for app in &config.apps {
        tracing::info!(event = "serving", app = app.id.as_str(), origin = %app.origin, routes = app.routes.len(), "serving");
    }
    tracing::info!(event = "listening", %address, version = env!("CARGO_PKG_VERSION"), "listening");
    let listening = admin.as_ref().map(|beside| beside.admin.clone());
    let reloading = tokio::spawn(reload::follow(
        path,
        config,
        handler.clone(),
        listening.clone(),
        hang_ups,
    ));
    let shutdown = async {
        signals.shutdown().await;
        if let Some(admin) = listening {
            admin.drain();
        }
    };
    server::serve(vec![listener], handler, shutdown).await;
    reloading.abort();
    if let Some(beside) = admin {
        beside.stop().await;
    }
    tracing::info!(event = "stopped", "stopped");
    Ok(())
}

/// The admin listener: it answers until the public one has drained, so that whoever asks learns how that goes.
struct Beside {
    admin: Admin,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Beside {
    async fn start(handler: &TokenHandler, settings: &config::Admin) -> Result<Self, Failure> {
        let wanted = settings.listen;
        let (listener, address) = listen(wanted).await?;
        let admin = Admin::new(handler.clone(), settings.clone(), address);
        let sessions = settings.token.is_some();
        tracing::info!(event = "admin_listening", %address, sessions, "listening for operators");
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(server::serve_aside(listener, admin.clone(), async {
            // Dropped without a word is the end as well.
            drop(stopped.await);
        }));
        Ok(Self { admin, stop, serving })
    }

    async fn stop(self) {
        // Nobody listens any more where the task has ended.
        let _ = self.stop.send(());
        if self.serving.await.is_err() {
            tracing::error!(event = "admin_listener_died", "this is a bug");
        }
    }
}

async fn listen(wanted: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let listener = TcpListener::bind(wanted)
        .await
        .map_err(|error| cannot_listen(wanted, &error))?;
    let address = listener
        .local_addr()
        .map_err(|error| cannot_listen(wanted, &error))?;
    Ok((listener, address))
}

/// A runtime with a thread per core.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("cannot start the runtime: {error}")))
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> Failure {
    let why = match error.kind() {
        std::io::ErrorKind::AddrInUse => "it is in use".to_owned(),
        std::io::ErrorKind::PermissionDenied => {
            "this user may not (ports below 1024 are privileged)".to_owned()
        }
        _ => error.to_string(),
    };
    Failure::unavailable(format!("cannot listen on {address}: {why}"))
}
