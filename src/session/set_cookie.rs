//! Writing `Set-Cookie`: one place decides the attributes, so that what clears a cookie repeats what set it (K-09).

use cookie::{Cookie, SameSite};
use http::HeaderValue;
use time::{Duration, OffsetDateTime};

/// The attributes in which our cookies differ; `Path=/`, `Secure`, `HttpOnly` and no `Domain` they share (K-01, K-02).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attributes {
    /// `-at`, `-rt`, `-id`: Strict; seconds of Max-Age only where sessions outlive the browser.
    Session(Option<u64>),
    /// A pending login: Lax, because the provider sends the browser back from another site; ten minutes.
    Login,
    /// `-end`: Strict, two minutes.
    End,
}

impl Attributes {
    const fn same_site(self) -> SameSite {
        match self {
            Self::Session(_) | Self::End => SameSite::Strict,
            Self::Login => SameSite::Lax,
        }
    }

    fn max_age(self) -> Option<Duration> {
        let seconds = match self {
            Self::Session(seconds) => seconds?,
            Self::Login => super::LOGIN_LIFETIME.as_secs(),
            Self::End => super::FAREWELL_LIFETIME.as_secs(),
        };
        Some(Duration::seconds(i64::try_from(seconds).unwrap_or(i64::MAX)))
    }
}

/// Sets a cookie.
pub(super) fn set(name: &str, value: &str, attributes: Attributes) -> HeaderValue {
    let mut cookie = plain(name, value, attributes);
    cookie.set_max_age(attributes.max_age());
    render(&cookie)
}

/// Clears a cookie: the same attributes, nothing in it, over long ago.
pub(super) fn clear(name: &str, attributes: Attributes) -> HeaderValue {
    let mut cookie = plain(name, "", attributes);
    cookie.set_max_age(Duration::ZERO);
    cookie.set_expires(OffsetDateTime::UNIX_EPOCH);
    render(&cookie)
}

fn plain<'a>(name: &'a str, value: &'a str, attributes: Attributes) -> Cookie<'a> {
    Cookie::build((name, value))
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(attributes.same_site())
        .build()
}

#[expect(
    clippy::expect_used,
    reason = "names are checked app ids, values are base64: all of it visible ASCII"
)]
fn render(cookie: &Cookie<'_>) -> HeaderValue {
    let mut value = HeaderValue::try_from(cookie.to_string()).expect("a Set-Cookie of ours is ASCII");
    // Keeps it out of `Debug` and out of header compression tables.
    value.set_sensitive(true);
    value
}
