//! # Cloakroom
//!
//! A token handler (backend for frontend) for browser single-page apps: hand in your tokens, keep a ticket.
//!
//! ```text
//! browser ─► server ─► gate ─┬─ {agent_path}/* ─► agent ─► provider (the authorization server)
//!           (bytes, TLS,     │                      └────► session (cookies ⇄ tokens)
//!            timeouts)       ├─ routes ─────────► session ─► proxy ─► upstream API
//!                            └─ the rest ───────► spa
//! ```
//!
//! The folders of `src/` are the way a request walks. [`handler`] is the map where the parts meet.

pub mod agent;
pub mod body;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod gate;
pub mod handler;
pub mod provider;
pub mod proxy;
pub mod random;
pub mod refusal;
pub mod renewal;
pub mod server;
pub mod session;
pub mod spa;
pub mod store;
pub mod token;

pub use config::Config;
pub use handler::{Environment, TokenHandler};
