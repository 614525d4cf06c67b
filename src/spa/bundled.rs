//! The files of `spa-demo/`, compiled in: `demo` has to run from a lone binary.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{self, HeaderValue};
use http::{HeaderMap, Method, Response, StatusCode};
use sha2::{Digest as _, Sha256};

use super::Found;
use super::path::FilePath;
use crate::body::ResponseBody;

/// The table below, with what is computed once.
#[derive(Debug)]
pub(super) struct Bundled {
    files: Vec<File>,
}

#[derive(Debug)]
struct File {
    path: &'static str,
    content: &'static [u8],
    mime: &'static str,
    etag: Box<str>,
}

impl Bundled {
    pub(super) fn new() -> Self {
        let files = FILES.iter().map(|(path, content)| File {
            path,
            content,
            mime: mime(path),
            etag: format!("\"{}\"", URL_SAFE_NO_PAD.encode(Sha256::digest(content))).into(),
        });
        Self {
            files: files.collect(),
        }
    }

    pub(super) fn find(&self, path: &FilePath, method: &Method, headers: &HeaderMap) -> Option<Found> {
        let file = self.files.iter().find(|file| file.path == path.as_str())?;
        if path.is_page() {
            return Some(Found::Page(file.content.to_vec()));
        }
        let mut response = Response::new(ResponseBody::Empty);
        let answer = response.headers_mut();
        answer.insert(header::ETAG, HeaderValue::from_str(&file.etag).ok()?);
        if is_known(headers, &file.etag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return Some(Found::Asset(response));
        }
        answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.mime));
        answer.insert(header::CONTENT_LENGTH, HeaderValue::from(file.content.len()));
        if method != Method::HEAD {
            *response.body_mut() = ResponseBody::full(file.content);
        }
        Some(Found::Asset(response))
    }
}

/// RFC 9110 §13.1.2: `If-None-Match`, compared weakly.
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag)
}

fn mime(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

macro_rules! bundle {
    ($($path:literal,)*) => {
        &[$(($path, include_bytes!(concat!("../../spa-demo/", $path)))),*]
    };
}

/// A test compares this list with the folder. What only an editor reads (`jsconfig.json`) stays out.
pub(super) const FILES: &[(&str, &[u8])] = bundle![
    "css/app.css",
    "favicon.svg",
    "index.html",
    "js/announce.js",
    "js/app.js",
    "js/element.js",
    "js/lab/attacks.js",
    "js/lab/evidence.js",
    "js/page-stores.js",
    "js/panels/call.js",
    "js/panels/clock.js",
    "js/panels/elsewhere.js",
    "js/panels/inspector.js",
    "js/panels/lab.js",
    "js/panels/login-error.js",
    "js/panels/tabs.js",
    "js/panels/ticket.js",
    "js/panels/where.js",
    "js/panels/who.js",
    "js/problem.js",
    "js/routes.js",
    "js/token-handler.js",
    "js/value-view.js",
];
