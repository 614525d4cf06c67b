//! Where a browser may land: `error_path` and `post_logout_path`, held to the form of `return_to` (contract §5a).

use url::Url;

use super::Origin;
use super::check::Check;
use super::path::is_under;
use super::problem::Code;
use super::table::{Field, quoted};

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
        Some(cause) => {
            check
                .wrong(
                    Code::LANDING,
                    field,
                    format!("{} is no place to send a browser to", quoted(text)),
                )
                .with_cause(cause)
                .with_fix("write a path of the SPA with one leading slash, as `\"/\"` or `\"/signed-out\"`");
            None
        }
    }
}

fn fault(text: &str, ground: &Ground<'_>) -> Option<&'static str> {
    if text.len() > LONGEST {
        return Some("it is longer than 1 KiB");
    }
    if text.contains('\\') || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some("it holds a backslash, white space, a control character or a character outside ASCII");
    }
    // Without an origin there is nothing to resolve on; that origin's own problem is reported already.
    let base = Url::parse(ground.spa_origin?.as_str()).ok()?;
    let target = if text.starts_with('/') {
        base.join(text).ok()
    } else {
        Url::parse(text).ok()
    };
    let Some(target) = target else {
        return Some("it is neither a path with a leading slash nor a URL");
    };
    if target.path().starts_with("//") || text.starts_with("//") {
        return Some("`//` would name another host");
    }
    if !target.username().is_empty() || target.password().is_some() {
        return Some("it carries a user name");
    }
    let at = target.origin().ascii_serialization();
    let listed = |origin: &&Origin| origin.as_str() == at;
    if ground
        .origin
        .iter()
        .copied()
        .chain(ground.allowed)
        .all(|origin| !listed(&origin))
        && !ground.spa_origin.iter().any(listed)
    {
        return Some("its origin is neither the app's `origin` nor one of `allowed_origins`");
    }
    // Agent and routes live on the app's origin; the same path elsewhere is just a page.
    if ground.origin.iter().any(listed) {
        if ground
            .agent_path
            .is_some_and(|agent| is_under(target.path(), agent))
        {
            return Some("it lies under the app's `agent_path`");
        }
        if ground.routes.iter().any(|route| is_under(target.path(), route)) {
            return Some("it lies under a route of this app, so the browser would show an API's answer");
        }
    }
    None
}

const LONGEST: usize = 1024;
