//! The pages a person sees: the login form and the words when something is wrong. Every page says that it is a fake.

use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderValue};
use http::{StatusCode, Uri};

/// The login form. `wrong` = the last try failed.
pub(super) fn login(request: &str, client: &str, hint: Option<&str>, wrong: bool) -> Response {
    let (request, client, hint) = (escape(request), escape(client), escape(hint.unwrap_or_default()));
    let alert = if wrong {
        r#"<p role="alert" class="wrong">That is not a name and password of this demo.</p>"#
    } else {
        ""
    };
    let body = format!(
        r#"<h1>Sign in</h1>
<p>to <strong>{client}</strong></p>
{alert}
<form method="post" action="/login">
<input type="hidden" name="request" value="{request}">
<label>Name <input name="username" value="{hint}" autocomplete="username" autocapitalize="none" required autofocus></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button type="submit">Sign in</button>
</form>
<p class="hint">Try <code>alice</code> or <code>bob</code>, password <code>demo</code>.</p>"#
    );
    page(
        if wrong {
            StatusCode::UNAUTHORIZED
        } else {
            StatusCode::OK
        },
        "Sign in",
        &body,
    )
}

/// A page that says what is wrong, for what must not be sent back to the client (RFC 6749 §4.1.2.1).
pub(super) fn refusal(what: &str) -> Response {
    page(
        StatusCode::BAD_REQUEST,
        "Refused",
        &format!("<h1>Refused</h1><p>{}</p>", escape(what)),
    )
}

/// After a logout that names no place to go back to.
pub(super) fn signed_out() -> Response {
    page(
        StatusCode::OK,
        "Signed out",
        "<h1>Signed out</h1><p>You may close this page.</p>",
    )
}

/// Whoever follows its address out of the banner.
pub(super) async fn index() -> Response {
    page(
        StatusCode::OK,
        "Hello",
        r#"<h1>Nothing to do here</h1>
<p>An app sends you to this provider to sign in, and takes you back.</p>
<p class="hint"><a href="/.well-known/openid-configuration">What it offers</a></p>"#,
    )
}

/// Anything else.
pub(super) async fn not_found(uri: Uri) -> Response {
    page(
        StatusCode::NOT_FOUND,
        "Not found",
        &format!("<h1>Not found</h1><p>{}</p>", escape(uri.path())),
    )
}

/// No `form-action` in the policy: Chromium applies it to the redirect back to the client, too.
fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let html = format!(
        r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title} · demo provider</title><link rel="icon" href="data:,"><style>{STYLE}</style></head>
<body><main><p class="fake">Demo provider: a fake, everybody knows its passwords</p>
{body}</main></body></html>"#
    );
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
    ];
    (status, headers, html).into_response()
}

/// HTML text and attribute values alike.
fn escape(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut escaped, character| {
            match character {
                '&' => escaped.push_str("&amp;"),
                '<' => escaped.push_str("&lt;"),
                '>' => escaped.push_str("&gt;"),
                '"' => escaped.push_str("&quot;"),
                '\'' => escaped.push_str("&#39;"),
                other => escaped.push(other),
            }
            escaped
        })
}

const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'";

const STYLE: &str = "
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:light-dark(#f2efe9,#17161a)}
main{width:min(22rem,calc(100vw - 4rem));padding:2rem;border-radius:.75rem;background:light-dark(#fff,#232127);
box-shadow:0 1px 3px #0003}
.fake{margin:-2rem -2rem 1.5rem;padding:.5rem 2rem;border-radius:.75rem .75rem 0 0;background:#b3261e;color:#fff;
font-size:.85rem}
h1{margin:0;font-size:1.5rem}
label{display:block;margin:1rem 0}
input{box-sizing:border-box;width:100%;padding:.6rem;font:inherit;border:1px solid #8888;border-radius:.4rem}
button{width:100%;padding:.7rem;font:inherit;font-weight:600;border:0;border-radius:.4rem;background:#1f5f5b;color:#fff}
:focus-visible{outline:3px solid #e0a33e;outline-offset:2px}
.wrong{color:light-dark(#b3261e,#ff8a80)}
.hint{font-size:.9rem;opacity:.8}
";
