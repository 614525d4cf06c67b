//! `cloakroom demo`: everything in one process on loopback, nothing to install or configure (contract §2, §11).
//!
//! Four listeners, each on a port of its own: the SPA with agent and proxy, the example API, the demo provider, and an
//! attacker's page on another site. Keys and secrets are new at each start. The provider is a fake with a real login form
//! and says so on every page.
//!
//! Names: `localhost` and `127.0.0.1` are two origins to a browser, so they are two apps here, each with its own
//! cookies; any other `Host` gets 404 on every listener (a page elsewhere must not reach us by DNS rebinding).

use std::future::Future;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::HOST;
use tokio::net::TcpListener;
use tokio::sync::watch;

use self::api::ExampleApi;
use self::ports::Taken;
use self::provider::DemoProvider;
use self::stage::Stage;
use crate::clock::{Clock, SystemClock};
use crate::handler::{Environment, TokenHandler};
use crate::random::{OsRandom, Random};
use crate::server;

mod api;
mod attacker;
mod banner;
mod bearer;
mod ports;
mod provider;
mod registration;
mod stage;
mod users;

/// Why the demo could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// No free port was found from the first one upwards: exit code 69.
    #[error("no free port found from {first} upwards")]
    NoPort {
        /// The first port tried.
        first: u16,
    },
    /// Anything else: exit code 1.
    #[error("{0}")]
    Failed(String),
}

/// Runs the demo until `shutdown` resolves, then drains. Prints the banner to stdout once everything answers.
///
/// # Errors
/// [`DemoError`]; nothing is left running then.
pub async fn run(first_port: u16, shutdown: impl Future<Output = ()> + Send) -> Result<(), DemoError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let random: Arc<dyn Random> = Arc::new(OsRandom);
    let spa = take(first_port).await?;
    let api = take(spa.number.saturating_add(1)).await?;
    let provider = take(api.number.saturating_add(1)).await?;
    let attacker = take(provider.number.saturating_add(1)).await?;

    let client = registration::client(spa.number, &*random);
    let config = registration::config(&spa, &api, &provider, &client, &*random).map_err(failed)?;
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, provider.number));
    let stage = Arc::new(Stage::new(format!(
        "http://{}:{}",
        attacker::HOST,
        attacker.number
    )));
    let demo_provider = DemoProvider::new(
        at,
        client,
        api::AUDIENCE,
        Arc::clone(&stage),
        clock.clone(),
        random,
    )
    .map_err(failed)?;
    let example_api = ExampleApi::new(demo_provider.issuer(), Arc::clone(&stage), clock).map_err(failed)?;
    let evil = attacker::router(stage, registration::origins(spa.number).to_vec());
    let handler = TokenHandler::new(&config, Environment::default()).map_err(failed)?;

    let (stop, stopped) = watch::channel(());
    let numbers = [spa.number, api.number, provider.number, attacker.number];
    let own: &'static [&'static str] = &["localhost", "127.0.0.1"];
    let backstage = [
        (provider, Arc::new(demo_provider).router(), own),
        (api, Arc::new(example_api).router(), own),
        (attacker, evil, &[attacker::HOST]),
    ];
    let mut tasks = tokio::task::JoinSet::new();
    for (Taken { number, listeners }, router, names) in backstage {
        let router = only_own_names(router, names, number);
        for listener in listeners {
            tasks.spawn(serve(listener, router.clone(), stopped.clone()));
        }
    }
    let [spa_port, api_port, provider_port, attacker_port] = numbers;
    // Whoever closed the pipe has read what they wanted; the demo goes on.
    let _ = writeln!(
        std::io::stdout(),
        "{}",
        banner::banner(spa_port, api_port, provider_port, attacker_port)
    );
    server::serve(spa.listeners, handler, shutdown).await;
    // The SPA's side goes first: what it has in flight may still need the provider.
    drop(stop);
    while tasks.join_next().await.is_some() {}
    Ok(())
}

async fn take(first: u16) -> Result<Taken, DemoError> {
    // A word for the person at the terminal.
    let tell = |busy: u16| {
        let next = busy.checked_add(1).map(|next| format!(", trying {next}"));
        let _ = writeln!(
            std::io::stderr(),
            "port {busy} is in use{}",
            next.unwrap_or_default()
        );
    };
    ports::take(first, tell).await.ok_or(DemoError::NoPort { first })
}

/// One of the backstage listeners. Open keep-alive connections must not hold up Ctrl+C: they are cut.
async fn serve(listener: TcpListener, router: Router, mut stopped: watch::Receiver<()>) {
    tokio::select! {
        served = async { axum::serve(listener, router).await } => {
            if let Err(error) = served {
                tracing::error!(%error, "a listener of the demo failed");
            }
        }
        _ = stopped.changed() => {}
    }
}

/// 404 for any `Host` but the demo's own names.
fn only_own_names(router: Router, names: &[&str], port: u16) -> Router {
    let own: Vec<String> = names.iter().map(|name| format!("{name}:{port}")).collect();
    router.layer(middleware::from_fn(move |request: Request, next: Next| {
        let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
        let known = host.is_some_and(|host| own.iter().any(|name| name.eq_ignore_ascii_case(host)));
        async move {
            let answer: Response = if known {
                next.run(request).await
            } else {
                StatusCode::NOT_FOUND.into_response()
            };
            answer
        }
    }))
}

fn failed(error: impl std::fmt::Display) -> DemoError {
    DemoError::Failed(error.to_string())
}
