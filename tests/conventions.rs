//! The rules of the house, as tests over the text of the repository: who may use whom, what production code may not say,
//! and that the manual tells the truth about names.
//!
//! No network, no clock; each test reads files and says what to do about what it finds. A rule that has to be broken is
//! changed here, with its reason, and not worked around there.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod conventions {
    mod cli;
    mod code;
    mod commands;
    mod links;
    mod manual;
    mod proofs;
    mod rooms;
    mod schema;
    mod source;
    mod surface;
}
