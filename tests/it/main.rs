//! Integration tests: the real service on a real socket, in a world of its own for each test.

#![allow(unreachable_pub, reason = "the modules of a test binary are its own public")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail loudly, and so does the world they stand in"
)]
#![allow(
    clippy::needless_pass_by_value,
    clippy::semicolon_if_nothing_returned,
    reason = "a test reads better without the ampersand and the semicolon"
)]
#![allow(
    clippy::large_futures,
    reason = "a test holds its whole world, on a stack that has nothing else to hold"
)]

#[cfg(unix)]
mod administration;
mod alone;
mod answers;
mod any_order;
mod backchannel;
mod callback;
mod cookies;
mod csrf;
mod embedded;
#[cfg(all(feature = "redis", unix))]
mod ends;
#[cfg(unix)]
mod explain;
mod forwarding;
mod frontchannel;
mod gate;
mod last_resort;
mod lifetimes;
mod login;
mod logout;
mod logs;
#[cfg(unix)]
mod operators;
mod overtaken;
mod paths;
#[cfg(target_os = "linux")]
mod pending;
mod provider_trouble;
#[cfg(feature = "redis")]
#[allow(dead_code, reason = "it serves unit tests, too")]
#[path = "../support/redis_server.rs"]
mod redis_server;
mod reload;
mod renewal;
#[cfg(feature = "redis")]
mod replicas;
#[cfg(unix)]
mod restart;
#[cfg(unix)]
mod rotation;
mod sizes;
mod smuggling;
mod stored;
mod streams;
mod upstream_trouble;
mod world;
