//! `cloakroom schema`: the JSON Schema of the configuration, as it lies in the repository. A test makes it anew from the
//! tables that the reader goes by and from the manual, and compares.

use super::exit::Failure;
use super::report;

pub(super) fn run() -> Result<(), Failure> {
    report::print(SCHEMA)
}

/// `config.schema.json`
pub(super) const SCHEMA: &str = include_str!("../../config.schema.json");
