//! The agent's endpoints, driven through its router with a browser's jar against a provider whose answers the test writes.

mod answers;
mod arbitrary;
mod callback;
mod login;
mod logout;
mod redeem;
mod session;
pub(crate) mod world;
