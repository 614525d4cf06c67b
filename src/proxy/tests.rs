//! A route to ask about, for the tests of this and neighbouring modules.

use std::time::Duration;

use crate::config::{CsrfRule, Route, SessionNeed, TokenKind, Upstream};

/// A route at `/api` to `upstream`, a URL.
pub(crate) fn route(upstream: &str) -> Route {
    Route {
        path: "/api".into(),
        upstream: Upstream::from_url(&upstream.parse().unwrap()).unwrap(),
        methods: None,
        strip_path: false,
        session: SessionNeed::Required,
        token: TokenKind::Access,
        csrf: CsrfRule::Header,
        drop_cookies: false,
        drop_headers: Vec::new(),
        pass_encoded_slash: false,
        timeout: Duration::from_secs(30),
        stream_idle_timeout: Duration::from_secs(60),
        connect_timeout: Duration::from_secs(5),
        max_body: 10 << 20,
    }
}
