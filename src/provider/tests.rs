//! The provider's client against a provider whose every answer the test writes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod arbitrary;
mod front_channel;
mod id_tokens;
mod keys;
mod login;
mod logout_tokens;
mod metadata;
mod other_endpoints;
mod signatures;
mod signer;
mod tls;
mod token_endpoint;
mod world;
