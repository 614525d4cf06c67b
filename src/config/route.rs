//! `[[app.route]]`: one API path prefix with its upstream.

use std::ops::RangeInclusive;
use std::time::Duration;

use http::{HeaderName, Method};
use url::Url;

use super::check::Check;
use super::origin::is_loopback_host;
use super::problem::Code;
use super::schema::{Harmless, Key, Kind};
use super::table::{Field, Table, quoted};
use super::{CsrfRule, Route, SessionNeed, TokenKind, Transport, Upstream, duration, path, size};

pub(super) const KEYS: &[Key] = &[
    Key::new("path", Kind::Text),
    Key::new("upstream", Kind::TextOrTexts),
    Key::new("insecure_http", Kind::Flag),
    Key::new("methods", Kind::Texts),
    Key::new("strip_path", Kind::Flag),
    Key::new("session", Kind::Text),
    Key::new("token", Kind::Text),
    Key::new("csrf", Kind::Text),
    Key::new("drop_cookies", Kind::Flag),
    Key::new("drop_headers", Kind::Texts),
    Key::new("encoded_slash", Kind::Text),
    Key::new("timeout", Kind::Duration),
    Key::new("stream_idle_timeout", Kind::Duration),
    Key::new("connect_timeout", Kind::Duration),
    Key::new("max_body", Kind::Size),
    Key::later_but("accept_bearer", Harmless::Off),
    Key::later_but("websocket", Harmless::Off),
    Key::later_but("require_scopes", Harmless::EmptyList),
    Key::later_but("require_acr", Harmless::EmptyList),
    Key::later("require_max_age"),
    Key::later("audience"),
    Key::later("resource"),
    Key::later_but("scopes", Harmless::EmptyList),
    Key::later("jwt"),
    Key::later_but("claims", Harmless::EmptyList),
    Key::later("rate_limit"),
    Key::later("request_schema"),
    Key::later("upstream_by_claim"),
];

/// What came of reading a route: its path counts even where the rest is wrong.
pub(super) struct Reading {
    pub(super) path: Option<Box<str>>,
    pub(super) checked: Option<Route>,
    public: bool,
}

impl Reading {
    /// The path, where no session is asked for.
    pub(super) fn public_path(&self) -> Option<&str> {
        self.path.as_deref().filter(|_| self.public)
    }
}

/// Reads one `[[app.route]]`.
pub(super) fn read(table: &Table<'_>, check: &mut Check<'_>) -> Reading {
    let path = table.required("path", "`path = \"/api\"`", check, |field, check| {
        path::read(field, true, check)
    });
    let (session, token) = session_and_token(table, check);
    Reading {
        checked: rest(table, path.clone(), session, token, check),
        public: session == Some(SessionNeed::None),
        path,
    }
}

fn rest(
    table: &Table<'_>,
    path: Option<Box<str>>,
    session: Option<SessionNeed>,
    token: Option<TokenKind>,
    check: &mut Check<'_>,
) -> Option<Route> {
    let upstream = upstream(table, check);
    let methods = methods(table, check);
    let csrf = table.or("csrf", CsrfRule::Header, check, |field, check| {
        field.choice(
            check,
            &[
                ("header", CsrfRule::Header),
                ("fetch_metadata", CsrfRule::FetchMetadata),
            ],
            &[],
        )
    });
    let drop_headers = table.each("drop_headers", check, drop_header);
    let pass_encoded_slash = table.or("encoded_slash", false, check, |field, check| {
        field.choice(check, &[("refuse", false), ("pass", true)], &[])
    });
    let mut time = |key: &str, default: Duration| {
        table.or(key, default, check, |field, check| {
            duration::read(field, &TIMEOUTS, check)
        })
    };
    let timeout = time("timeout", Duration::from_secs(30));
    let stream_idle_timeout = time("stream_idle_timeout", Duration::from_secs(60));
    let connect_timeout = time("connect_timeout", Duration::from_secs(5));
    let max_body = table.or("max_body", MAX_BODY, check, |field, check| {
        size::read(field, &MAX_BODIES, check)
    });
    Some(Route {
        path: path?,
        upstream: upstream?,
        methods: methods?,
        strip_path: table.flag("strip_path", false)?,
        session: session?,
        token: token?,
        csrf: csrf?,
        drop_cookies: table.flag("drop_cookies", false)?,
        drop_headers: drop_headers?,
        pass_encoded_slash: pass_encoded_slash?,
        timeout: timeout?,
        stream_idle_timeout: stream_idle_timeout?,
        connect_timeout: connect_timeout?,
        max_body: max_body?,
    })
}

/// A public route has no token to attach; a route that attaches none has to say whom it lets in.
fn session_and_token(table: &Table<'_>, check: &mut Check<'_>) -> (Option<SessionNeed>, Option<TokenKind>) {
    let session = table.or("session", SessionNeed::Required, check, |field, check| {
        field.choice(
            check,
            &[
                ("required", SessionNeed::Required),
                ("optional", SessionNeed::Optional),
                ("none", SessionNeed::None),
            ],
            &[],
        )
    });
    let default = if session == Some(SessionNeed::None) {
        TokenKind::None
    } else {
        TokenKind::Access
    };
    let token = table.or("token", default, check, |field, check| {
        field.choice(
            check,
            &[("access", TokenKind::Access), ("none", TokenKind::None)],
            &["exchange", "phantom", "client_credentials"],
        )
    });
    let Some(field) = table.field("token") else {
        return (session, token);
    };
    match (session, token) {
        (Some(SessionNeed::None), Some(TokenKind::Access)) => {
            check
                .wrong(
                    Code::SESSION_AND_TOKEN,
                    &field,
                    "a route with `session = \"none\"` has no token to attach",
                )
                .with_fix("write `token = \"none\"`, or `session = \"required\"`");
        }
        (Some(_), Some(TokenKind::None)) if table.field("session").is_none() => {
            check
                .wrong(
                    Code::SESSION_AND_TOKEN,
                    &field,
                    "with `token = \"none\"`, `session` must be written out",
                )
                .with_cause("an API without a token cannot refuse anybody itself")
                .with_fix("add `session = \"required\"`, `\"optional\"` or `\"none\"`");
        }
        _ => {}
    }
    (session, token)
}

fn upstream(table: &Table<'_>, check: &mut Check<'_>) -> Option<Upstream> {
    let insecure = table.flag("insecure_http", false).unwrap_or(true);
    table.required(
        "upstream",
        "`upstream = \"http://127.0.0.1:9001\"`",
        check,
        |field, check| {
            if !field.is_list() {
                return one_upstream(field, insecure, check);
            }
            match field.elements().as_slice() {
                [one] => one_upstream(one, insecure, check),
                [] => {
                    check
                        .wrong(Code::UPSTREAM, field, "a route needs an upstream")
                        .with_fix("name it: `upstream = \"http://127.0.0.1:9001\"`");
                    None
                }
                several => {
                    for one in several {
                        one_upstream(one, insecure, check);
                    }
                    check
                        .wrong(
                            Code::NOT_AVAILABLE,
                            field,
                            "several upstreams are not available in this version",
                        )
                        .with_fix("name one upstream");
                    None
                }
            }
        },
    )
}

fn one_upstream(field: &Field<'_>, insecure: bool, check: &mut Check<'_>) -> Option<Upstream> {
    let text = field.text()?;
    let url = Url::parse(text).ok().filter(|_| text.contains("://"));
    let Some(upstream) = url.as_ref().and_then(Upstream::from_url) else {
        check
            .wrong(
                Code::UPSTREAM,
                field,
                format!("{} is not the URL of an upstream", quoted(text)),
            )
            .with_cause(
                "an upstream is `http` or `https`, host, port and perhaps a path; no query, no user name",
            )
            .with_fix("write it as `\"http://127.0.0.1:9001\"` or `\"https://orders.example.com/v1\"`");
        return None;
    };
    if upstream.transport() == Transport::Tcp && !is_loopback_host(upstream.host()) && !insecure {
        check
            .wrong(
                Code::PLAIN_HTTP,
                field,
                format!(
                    "plain http to {} needs `insecure_http = true`",
                    quoted(upstream.host())
                ),
            )
            .with_cause("every access token would cross the network in clear")
            .with_fix("write `https`, or add `insecure_http = true` to this route");
        return None;
    }
    Some(upstream)
}

#[expect(
    clippy::option_option,
    reason = "outside: whether they are right; inside: whether they are written"
)]
fn methods(table: &Table<'_>, check: &mut Check<'_>) -> Option<Option<Vec<Method>>> {
    let Some(field) = table.field("methods") else {
        return Some(None);
    };
    let methods = table.each("methods", check, method)?;
    if methods.is_empty() {
        check
            .wrong(Code::METHOD, &field, "a route without methods answers nothing")
            .with_fix("list them, or remove the key: all but TRACE and CONNECT are then allowed");
        return None;
    }
    Some(Some(methods))
}

fn method(field: &Field<'_>, check: &mut Check<'_>) -> Option<Method> {
    let text = field.text()?;
    let upper = text.to_ascii_uppercase();
    let parsed = Method::from_bytes(text.as_bytes());
    let (message, fix) = match parsed {
        Ok(Method::TRACE | Method::CONNECT) => (
            "TRACE and CONNECT are never forwarded".to_owned(),
            "remove it".to_owned(),
        ),
        Ok(_) if text != upper => (
            format!("{} is not a method: they are compared with case", quoted(text)),
            format!("write {}", quoted(&upper)),
        ),
        Ok(method) => return Some(method),
        Err(_) => (
            format!("{} is not a method", quoted(text)),
            "write it as `\"GET\"`".to_owned(),
        ),
    };
    check.wrong(Code::METHOD, field, message).with_fix(fix);
    None
}

fn drop_header(field: &Field<'_>, check: &mut Check<'_>) -> Option<HeaderName> {
    let text = field.text()?;
    match HeaderName::from_bytes(text.as_bytes()) {
        Ok(name) if FRAMING.contains(&name.as_str().replace(['_', '.'], "-").as_str()) => {
            check
                .wrong(Code::HEADER, field, format!("{} cannot be dropped", quoted(text)))
                .with_cause("the request would not arrive as what was decided on")
                .with_fix("remove it");
            None
        }
        Ok(name) => Some(name),
        Err(_) => {
            check
                .wrong(
                    Code::HEADER,
                    field,
                    format!("{} is not a header name", quoted(text)),
                )
                .with_fix("write the name alone, as `\"x-internal\"`");
            None
        }
    }
}

/// What says where a request goes and where it ends.
const FRAMING: &[&str] = &["host", "content-length", "transfer-encoding"];

const MAX_BODY: u64 = 10 << 20;
const MAX_BODIES: RangeInclusive<u64> = 0..=(1 << 40);
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(86_400);
