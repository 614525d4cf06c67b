//! Integration tests: the real service on a real socket, in a world of its own for each test.

#![allow(unreachable_pub, reason = "the modules of a test binary are its own public")]

mod cookies;
mod csrf;
mod forwarding;
mod login;
mod logout;
mod paths;
mod renewal;
mod smuggling;
mod world;
