//! Who may even ask: everything that is decided before a session is looked at (contract §5 steps 1 to 5, §5a), and
//! what every answer carries, whoever wrote it.
//!
//! In the order in which [`crate::handler`] asks:
//!
//! 1. `limits`: is the head one we want to read at all (414, 431, and shapes that smuggle: 400).
//! 2. `path`: canonical or refused.
//! 3. `app`: which site by `Host`, which app, endpoint or route by the longest prefix of whole segments.
//! 4. `cors`: preflights are answered here and never forwarded.
//! 5. `csrf`: the custom header, `Origin`, Fetch Metadata.
//! 6. `harden`: headers of every answer.
//!
//! Trusted: the configuration, and what `trusted_proxies` say about host and client address. Everything else in a
//! request is the attacker's.

pub(crate) mod app;
pub(crate) mod client;
pub(crate) mod cors;
pub(crate) mod csrf;
pub(crate) mod harden;
pub(crate) mod limits;
pub(crate) mod path;
mod request_id;

pub use request_id::RequestId;
pub(crate) use request_id::RequestIds;

#[cfg(test)]
pub(crate) mod tests;
