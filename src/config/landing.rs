//! Where a browser may land: `error_path` and `post_logout_path`, held to the form of `return_to` (contract §5a).

use super::Origin;
use super::check::Check;
use super::problem::Code;
use super::table::{Field, quoted};
use crate::agent::return_to::{Rejected, ReturnTo, Rules};

/// What a landing place is judged by; fields that could not be read are absent and not judged by.
pub(super) struct Ground<'a> {
    pub(super) origin: Option<&'a Origin>,
    pub(super) spa_origin: Option<&'a Origin>,
    pub(super) allowed: &'a [Origin],
    pub(super) agent_path: Option<&'a str>,
    pub(super) routes: &'a [Box<str>],
}

/// Reads a landing place: a path with one leading slash, or a URL on one of the app's origins.
pub(super) fn read(field: &Field<'_>, ground: &Ground<'_>, check: &mut Check<'_>) -> Option<Box<str>> {
    let text = field.text()?;
    match fault(text, ground) {
        None => Some(text.into()),
        Some(rejected) => {
            check
                .wrong(
                    Code::LANDING,
                    field,
                    format!("{} is no place to send a browser to", quoted(text)),
                )
                .with_cause(format!("it {rejected}"))
                .with_fix("write a path of the SPA with one leading slash, as `\"/\"` or `\"/signed-out\"`");
            None
        }
    }
}

/// By the one checker, so that what the configuration promises is what the agent redirects to. Where the origin itself is
/// wrong, which is reported already, a path is judged on another one in its place; a URL has nothing to be compared with.
fn fault(text: &str, ground: &Ground<'_>) -> Option<Rejected> {
    let stand_in = Origin::parse(STAND_IN);
    let known = ground.spa_origin.or(ground.origin);
    if known.is_none() && !text.starts_with(['/', '\\']) {
        return None;
    }
    let rules = Rules {
        origin: ground.origin.or(stand_in.as_ref())?,
        spa_origin: known.or(stand_in.as_ref())?,
        allowed_origins: ground.allowed,
        calls: ground
            .agent_path
            .into_iter()
            .chain(ground.routes.iter().map(|route| &**route))
            .collect(),
    };
    ReturnTo::check(text, &rules).err()
}

/// A name that nobody has (RFC 6761 §6.4).
const STAND_IN: &str = "https://app.invalid";
