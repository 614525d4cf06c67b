//! # Cloakroom
//!
//! A token handler (backend for frontend) for browser single-page apps: hand in your tokens, keep a ticket.
//!
//! ```text
//! browser ─► server ─► gate ─┬─ {agent_path}/* ─► agent ─► provider (the authorization server)
//!           (bytes,          │                      └────► session (cookies ⇄ tokens)
//!            deadlines)      ├─ routes ─────────► session ─► proxy ─► upstream API
//!                            └─ the rest ───────► spa
//! ```
//!
//! The folders of `src/` are the way a request walks. [`handler`] is the map where the parts meet.
//!
//! # The paved path
//!
//! The binary is [`cli::main`]; whoever has an axum app of their own mounts the same engine in it. A [`Config`] can only be
//! made by a reading that reports every problem at once; a [`TokenHandler`] is built from it and gives routers for the whole
//! ([`TokenHandler::router`]), the agent alone and the proxy alone. Clock, randomness and store come in by an
//! [`Environment`]. [`TokenHandler::reload`] puts another configuration in place while requests go on.
//!
//! ```no_run
//! use std::net::SocketAddr;
//! use std::path::Path;
//!
//! use axum::Router;
//! use axum::routing::get;
//! use cloakroom::{Config, Environment, TokenHandler};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config::load(Path::new("config.toml"))?;
//! let handler = TokenHandler::new(&config, Environment::default())?;
//! let app = Router::new()
//!     .route("/about", get(async || "mine"))
//!     .merge(handler.router());
//! let listener = tokio::net::TcpListener::bind(config.server.listen).await?;
//! axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! What such an app has to do itself, because it sees no bytes: `docs/how-to/in-your-axum-app.md`, and
//! `examples/axum-app.rs`.

mod admin;
// What is hidden is public for our own tests and nobody else: it changes with any version.
#[doc(hidden)]
pub mod agent;
pub mod body;
#[doc(hidden)]
pub mod cli;
pub mod clock;
pub mod config;
#[doc(hidden)]
pub mod demo;
#[doc(hidden)]
pub mod gate;
pub mod handler;
#[doc(hidden)]
pub mod metrics;
#[doc(hidden)]
pub mod provider;
#[doc(hidden)]
pub mod proxy;
pub mod random;
#[doc(hidden)]
pub mod refusal;
#[doc(hidden)]
pub mod renewal;
pub mod server;
#[doc(hidden)]
pub mod session;
#[doc(hidden)]
pub mod spa;
pub mod store;
#[doc(hidden)]
pub mod token;

pub use config::Config;
pub use handler::{BuildError, Environment, Peer, TokenHandler};
