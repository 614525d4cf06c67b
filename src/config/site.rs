//! Same-site or not: whether Strict cookies travel from one origin to another (RFC 6265bis §5.2).
//!
//! Two origins are same-site when scheme and registrable domain are equal. The registrable domain is the public
//! suffix and one label more; browsers know every suffix from a list that changes weekly. This service carries a
//! short one: a single label (so that `app.localhost` and `api.localhost` are two sites), the second-level suffixes
//! of country domains, and the hosters on whose names SPAs live most. What is missing here is taken for same-site
//! though a browser disagrees: the login of that pair then does not work, nothing becomes less safe, since listed
//! origins are compared whole.

use super::Origin;

/// Whether a page of `one` sends Strict cookies to `other`.
pub(super) fn same_site(one: &Origin, other: &Origin) -> bool {
    one.scheme() == other.scheme()
        && (one.host() == other.host()
            || matches!(
                (registrable(one.host()), registrable(other.host())),
                (Some(one), Some(other)) if one == other
            ))
}

/// The registrable domain of `host`; `None` where there is none: addresses and public suffixes themselves.
pub(super) fn registrable(host: &str) -> Option<&str> {
    if host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok() {
        return None;
    }
    let suffix = suffix_labels(host);
    let mut labels = host.rmatch_indices('.').map(|(dot, _)| dot);
    // The dot before the last label of the suffix, then the one before the registrable label.
    labels.nth(suffix - 1)?;
    let start = labels.next().map_or(0, |dot| dot + 1);
    host.get(start..)
}

/// How many labels the public suffix of `host` has; at least one.
fn suffix_labels(host: &str) -> usize {
    let mut labels = host.rsplit('.');
    let top = labels.next().unwrap_or_default();
    let second = labels.next().unwrap_or_default();
    let by_country = top.len() == 2 && SECOND_LEVEL.contains(&second);
    SHARED
        .iter()
        .filter(|suffix| {
            host == **suffix
                || host
                    .strip_suffix(**suffix)
                    .is_some_and(|rest| rest.ends_with('.'))
        })
        .map(|suffix| suffix.split('.').count())
        .max()
        .unwrap_or(if by_country { 2 } else { 1 })
}

/// `co.uk`, `com.au` and their kind.
const SECOND_LEVEL: &[&str] = &["ac", "co", "com", "edu", "gov", "net", "or", "org"];

/// Suffixes below which strangers live.
const SHARED: &[&str] = &[
    "appspot.com",
    "azurestaticapps.net",
    "azurewebsites.net",
    "cloudfront.net",
    "deno.dev",
    "firebaseapp.com",
    "fly.dev",
    "github.io",
    "gitlab.io",
    "herokuapp.com",
    "me.uk",
    "ne.jp",
    "netlify.app",
    "ngrok.app",
    "ngrok.io",
    "ngrok-free.app",
    "onrender.com",
    "pages.dev",
    "run.app",
    "trycloudflare.com",
    "vercel.app",
    "web.app",
    "workers.dev",
];
