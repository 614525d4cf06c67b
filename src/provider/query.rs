//! Parameters for an endpoint that the browser is sent to.

use url::Url;

/// Adds `parameters` to the endpoint's own query, which is kept (RFC 6749 §3.1) but for members that we set ourselves: each
/// name of ours is there exactly as often as we say (C-02 as seen from the other side).
pub(super) fn with_parameters(endpoint: &Url, parameters: &[(&str, &str)]) -> Url {
    let ours = |name: &str| parameters.iter().any(|(known, _)| *known == name);
    let mut url = endpoint.clone();
    if endpoint.query_pairs().any(|(name, _)| ours(&name)) {
        url.query_pairs_mut()
            .clear()
            .extend_pairs(endpoint.query_pairs().filter(|(name, _)| !ours(name)));
    }
    // `a=b&` and an empty query would both leave a stray separator behind.
    if url.query().is_some_and(str::is_empty) {
        url.set_query(None);
    }
    url.query_pairs_mut().extend_pairs(parameters);
    url
}
