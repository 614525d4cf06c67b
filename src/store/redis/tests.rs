//! What only a store elsewhere can do: be out of reach, be emptied, be another one, be shared.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

#[allow(unreachable_pub, dead_code, reason = "it serves tests outside the crate, too")]
#[path = "../../../tests/support/redis_server.rs"]
pub(in crate::store) mod server;
