//! Integration tests: the real service on a real socket, in a world of its own for each test.

#![allow(unreachable_pub, reason = "the modules of a test binary are its own public")]

mod answers;
mod callback;
mod cookies;
mod csrf;
mod forwarding;
mod gate;
mod login;
mod logout;
mod paths;
mod provider_trouble;
mod renewal;
mod smuggling;
mod upstream_trouble;
mod world;
