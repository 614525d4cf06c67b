//! The cookies from outside: what is set, what opens, what does not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod arbitrary;
mod attributes;
mod budget;
mod chunks;
mod combination;
mod cost;
mod farewell;
mod format;
mod login;
mod packing;
mod reading;
mod recent;
mod rotation;
mod round_trip;
mod secrecy;
mod shapes;
mod shelved;
mod sizes;
mod stripping;
mod swapping;
mod tampering;
mod world;
