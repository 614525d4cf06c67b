//! What the keys and values of later versions are for: said where one of them is refused, so that whoever wrote it learns
//! that the name is right and the time is not.

/// What the key at `path` (as problems write it, `app[0].provider.dpop`) will do.
pub(super) fn purpose(path: &str) -> Option<&'static str> {
    let path = without_indices(path);
    PURPOSES
        .iter()
        .find(|(key, _)| *key == path)
        .map(|(_, purpose)| *purpose)
}

/// `app[0].route[2].jwt` → `app.route.jwt`
pub(super) fn without_indices(path: &str) -> String {
    let mut inside = false;
    path.chars()
        .filter(|c| {
            let was = inside;
            inside = *c == '[' || inside && *c != ']';
            !inside && !was
        })
        .collect()
}

/// Every key of the schema that is not built yet, and nothing else: a test compares.
pub(super) const PURPOSES: &[(&str, &str)] = &[
    ("server.login_rate", "a rate limit for logins, by client address"),
    ("server.tls", "TLS on the listener itself"),
    ("admin.tls", "TLS on the admin listener"),
    ("log", "what is logged, and how"),
    ("audit", "a log of its own for logins, logouts and refusals"),
    (
        "app.forward_auth",
        "decisions for a gateway that asks by sub-request",
    ),
    ("app.policy", "Cedar policies that decide about requests"),
    (
        "app.provider.preset",
        "the ways of a well-known provider as one word",
    ),
    (
        "app.provider.profile",
        "FAPI 2.0: everything that it demands, at once",
    ),
    ("app.provider.par", "pushed authorization requests (RFC 9126)"),
    ("app.provider.jar", "signed request objects (RFC 9101)"),
    (
        "app.provider.response_mode",
        "how the provider's answer reaches the callback",
    ),
    ("app.provider.dpop", "access tokens bound to a key (RFC 9449)"),
    (
        "app.provider.signing_key",
        "the key that signs client assertions and request objects",
    ),
    ("app.provider.signing_alg", "the algorithm of `signing_key`"),
    (
        "app.provider.client_cert",
        "the client certificate of mutual TLS (RFC 8705)",
    ),
    ("app.provider.client_key", "the private key of `client_cert`"),
    (
        "app.provider.authorization_details",
        "rich authorization requests (RFC 9396)",
    ),
    (
        "app.route.accept_bearer",
        "callers that bring a bearer token instead of a session",
    ),
    ("app.route.websocket", "WebSocket handshakes"),
    (
        "app.route.require_scopes",
        "scopes that the access token must have",
    ),
    ("app.route.require_acr", "how strong the login must have been"),
    ("app.route.require_max_age", "how recent the login must be"),
    (
        "app.route.audience",
        "the audience of a token that is got for this route",
    ),
    (
        "app.route.resource",
        "the resource (RFC 8707) of a token that is got for this route",
    ),
    (
        "app.route.scopes",
        "the scopes of a token that is got for this route",
    ),
    ("app.route.jwt", "validation of JWTs before they are forwarded"),
    ("app.route.claims", "claims that the user must have"),
    ("app.route.rate_limit", "a rate limit of this route"),
    ("app.route.request_schema", "validation of request bodies"),
    (
        "app.route.upstream_by_claim",
        "an upstream chosen by a claim of the user",
    ),
];
