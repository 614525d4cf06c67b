//! The SPA's files (contract §11): history fallback, CSP with a nonce, caching.
//!
//! 1. Only files are served: no directory listing, no dotfiles (but `.well-known/`), nothing outside the directory,
//!    also not through a symlink. Nothing below `agent_path` or a route is ever a file.
//! 2. A path without a file is the app's own (its router reads it): GET and HEAD that ask for `text/html` get
//!    `index.html`. A script or picture that is missing gets 404, not a page it would choke on.
//! 3. Pages are `no-cache`, whole each time, with a Content Security Policy whose nonce is new each time and takes the
//!    place of `__CSP_NONCE__` in the page, for apps whose build writes inline scripts or styles.
//! 4. Other files: with a hash in the name immutable, else revalidated (`ETag`, `Last-Modified`).
//!
//! A stolen script runs with the user's session, so the policy is the second wall behind the cookies (BBA §5.2, ASVS 3.4).

use std::sync::Arc;

use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Response};

use crate::body::ResponseBody;
use crate::config::{App, Scheme, SpaFiles};
use crate::random::Random;
use crate::refusal::{Code, Refusal};

use self::bundled::Bundled;
use self::dir::Dir;
use self::path::FilePath;

mod bundled;
mod dir;
mod hashed;
mod path;

#[cfg(test)]
mod tests;

/// Serves the SPA of one app.
#[derive(Debug)]
pub struct Spa {
    source: Source,
    reserved: Vec<Box<str>>,
    https: bool,
    random: Arc<dyn Random>,
}

#[derive(Debug)]
enum Source {
    Dir(Dir),
    Bundled(Bundled),
}

/// What a source found.
#[derive(Debug)]
enum Found {
    /// An HTML file, read.
    Page(Vec<u8>),
    /// Any other file: the answer but for the headers that all have.
    Asset(Response<ResponseBody>),
}

impl Spa {
    /// Touches no file yet.
    pub fn new(files: &SpaFiles, app: &App, random: Arc<dyn Random>) -> Self {
        Self {
            source: match files {
                SpaFiles::Dir(root) => Source::Dir(Dir::new(root.clone())),
                SpaFiles::Bundled => Source::Bundled(Bundled::new()),
            },
            reserved: std::iter::once(&app.agent_path)
                .chain(app.routes.iter().map(|route| &route.path))
                .filter(|prefix| ***prefix != *"/")
                .cloned()
                .collect(),
            https: app.origin.scheme() == Scheme::Https,
            random,
        }
    }

    /// Answers a request for `path` (canonical, without query), which is no agent endpoint and no route.
    ///
    /// # Errors
    /// `route_not_found`; `method_not_allowed` for a file asked with another method than GET and HEAD; `internal` where
    /// the directory cannot be read.
    pub async fn serve(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
    ) -> Result<Response<ResponseBody>, Refusal> {
        let not_found = || Refusal::new(Code::RouteNotFound);
        if self.is_reserved(path) {
            return Err(not_found());
        }
        let file = FilePath::read(path).ok_or_else(not_found)?;
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Err(match self.find(&file, &Method::HEAD, &HeaderMap::new()).await? {
                Some(_) => Refusal::method_not_allowed(HeaderValue::from_static("GET, HEAD")),
                None => not_found(),
            });
        }
        let found = match self.find(&file, method, headers).await? {
            None if accepts_html(headers) => self.find(&FilePath::index(), method, headers).await?,
            found => found,
        };
        match found.ok_or_else(not_found)? {
            Found::Page(html) => self.page(&html, method),
            Found::Asset(asset) => Ok(self.asset(asset, &file)),
        }
    }

    async fn find(
        &self,
        file: &FilePath,
        method: &Method,
        headers: &HeaderMap,
    ) -> Result<Option<Found>, Refusal> {
        match &self.source {
            Source::Dir(dir) => dir.find(file, method, headers).await,
            Source::Bundled(bundled) => Ok(bundled.find(file, method, headers)),
        }
    }

    fn is_reserved(&self, path: &str) -> bool {
        self.reserved.iter().any(|prefix| {
            path.strip_prefix(&**prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    fn page(&self, html: &[u8], method: &Method) -> Result<Response<ResponseBody>, Refusal> {
        let nonce = self.random.token();
        let html = with_nonce(html, &nonce);
        let policy = HeaderValue::from_str(&self.policy(&nonce))
            .map_err(|_| Refusal::new(Code::Internal).because("the policy is no header value"))?;
        let length = HeaderValue::from(html.len());
        let mut response = Response::new(match *method {
            Method::HEAD => ResponseBody::Empty,
            _ => ResponseBody::full(html),
        });
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
        headers.insert(header::CONTENT_LENGTH, length);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
        self.harden(headers);
        Ok(response)
    }

    fn asset(&self, mut response: Response<ResponseBody>, file: &FilePath) -> Response<ResponseBody> {
        // An error (a range that does not exist, say) must not be kept for a year.
        let caching = if hashed::is_hashed(file.name()) && !response.status().is_client_error() {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
        // A picture that is opened as a document may hold script: it runs nothing and is nobody's origin. Nor is HTML that
        // has not the ending of a page.
        if headers.get(header::CONTENT_TYPE).is_some_and(is_document) {
            headers.insert(
                header::CONTENT_SECURITY_POLICY,
                HeaderValue::from_static(
                    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox",
                ),
            );
        }
        self.harden(headers);
        response
    }

    fn policy(&self, nonce: &str) -> String {
        let mut policy = format!(
            "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; \
             img-src 'self' data:; connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; \
             form-action 'self'; frame-ancestors 'none'"
        );
        // The bundled app is known to write no HTML from script; for another one this is its author's to decide.
        if matches!(self.source, Source::Bundled(_)) {
            policy.push_str("; require-trusted-types-for 'script'");
        }
        policy
    }

    fn harden(&self, headers: &mut HeaderMap) {
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        // Not `no-referrer`: with it browsers send `Origin: null` from forms and same-origin navigations (Fetch §3.2).
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
        if self.https {
            headers.insert(
                header::STRICT_TRANSPORT_SECURITY,
                HeaderValue::from_static("max-age=31536000"),
            );
        }
    }
}

/// Whether the request asks for a page by name: `*/*` alone is what scripts, styles and `fetch` say, too.
fn accepts_html(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(','))
        .any(|range| {
            let mut parts = range.split(';').map(str::trim);
            parts
                .next()
                .is_some_and(|mime| mime.eq_ignore_ascii_case("text/html"))
                && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        })
}

fn is_document(mime: &HeaderValue) -> bool {
    let essence = mime.as_bytes().split(|byte| *byte == b';').next();
    essence.is_some_and(|essence| essence.ends_with(b"xml") || essence == b"text/html")
}

fn with_nonce(html: &[u8], nonce: &str) -> Vec<u8> {
    match std::str::from_utf8(html) {
        Ok(text) if text.contains(PLACEHOLDER) => text.replace(PLACEHOLDER, nonce).into_bytes(),
        _ => html.to_vec(),
    }
}

/// Where a page wants the nonce: `<script nonce="__CSP_NONCE__">`.
const PLACEHOLDER: &str = "__CSP_NONCE__";
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
