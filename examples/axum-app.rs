//! Cloakroom inside another axum app: own routes beside it, and an own API that only signed-in users reach.
//!
//! Two listeners in one process. The front is what browsers see: the app's own routes, and Cloakroom for all others. The API
//! behind it is the app's, too; it listens where only this process reaches it, and gets the calls that the proxy lets
//! through, with the user's access token.
//!
//! ```text
//! cargo run --example axum-app -- config.toml
//! ```
//!
//! The configuration is that of `cloakroom serve`, with a route to the API: `path = "/api"`, `upstream =
//! "http://127.0.0.1:9001"`.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use cloakroom::{Config, Environment, TokenHandler};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "config.toml".to_owned());
    let config = match Config::load(Path::new(&path)) {
        Ok(config) => config,
        Err(problems) => {
            // All of them at once, each with its place and what to do about it.
            eprint!("{problems}");
            std::process::exit(78);
        }
    };
    let handler = TokenHandler::new(&config, Environment::default())?;

    let api_listener = TcpListener::bind("127.0.0.1:9001").await?;
    tokio::spawn(async { axum::serve(api_listener, api()).await });

    let listener = TcpListener::bind(config.server.listen).await?;
    eprintln!("listening on {}", listener.local_addr()?);
    // With the peer's address: it decides which proxies are trusted, and what upstreams are told.
    let service = front(&handler).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service)
        .with_graceful_shutdown(async { drop(tokio::signal::ctrl_c().await) })
        .await?;
    // A renewal that is cut off costs its user the session.
    let _late = tokio::time::timeout(Duration::from_secs(10), handler.settled()).await;
    Ok(())
}

/// What browsers see: the app's own routes first, Cloakroom for everything else.
pub fn front(handler: &TokenHandler) -> Router {
    Router::new()
        .route("/about", get(async || "An app with a token handler in it."))
        .merge(handler.router())
}

/// The app's API. Whoever gets here is signed in, for no other call is let through; what this user may do is the API's to
/// decide, by the token, which it validates as every API does.
pub fn api() -> Router {
    Router::new()
        .route("/api/hello", get(hello))
        .layer(DefaultBodyLimit::max(64 * 1024))
}

async fn hello(headers: HeaderMap) -> Result<String, StatusCode> {
    let authorization = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .ok_or(StatusCode::UNAUTHORIZED)?;
    let token = authorization
        .strip_prefix("Bearer ")
        .ok_or(StatusCode::UNAUTHORIZED)?;
    // Never the token itself: the answer goes to script.
    Ok(format!("hello, bearer of {} characters", token.len()))
}
