//! Send a request to its upstream and wait for the head of the answer.
//!
//! 1. A rested connection of this thread is used where there is one, else a new one is opened.
//! 2. Only a request without a body and with an idempotent method is ever sent again, once, and only when a rested
//!    connection died before a byte of the answer came (RFC 9110 §9.2.2, P-12).
//! 3. Whoever drops this future (the browser went away) drops the connection: the upstream sees it close.
//! 4. Redirects are passed back, never followed: the token goes to the configured host only (P-01, P-22).

use std::borrow::Cow;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use http::header;
use http::response::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version};
use hyper::body::Incoming;

use super::link::{Link, Relay};
use super::upload::{Note, Progress, Upload};
use super::{Connector, Identity, UpstreamBody, attach, headers, pool};
use crate::body::{RequestBody, ResponseBody};
use crate::config::{Route, Upstream};
use crate::refusal::{Code, Refusal};
use crate::token::AccessToken;

/// A route's way to its upstream.
#[derive(Debug, Clone)]
pub(crate) struct Passage {
    route: Arc<Route>,
    connector: Connector,
    key: u64,
    /// The upstream closes connections behind its answers without saying so.
    hasty: Arc<AtomicBool>,
}

/// One request to be forwarded.
#[derive(Debug)]
pub(crate) struct Forward<'a> {
    /// The request as it came; its session has been decided about.
    pub(crate) request: Request<RequestBody>,
    /// Its canonical path, where that is not the path as it came.
    pub(crate) path: Option<String>,
    /// The token to attach.
    pub(crate) token: Option<&'a AccessToken>,
    /// What the upstream is told about the request.
    pub(crate) identity: Identity<'a>,
}

impl Passage {
    /// Prepares a route. Routes to the same upstream share its idle connections through `key_of`.
    pub(crate) fn new(route: Arc<Route>, connector: Connector, key: u64) -> Self {
        Self {
            route,
            connector,
            key,
            hasty: Arc::default(),
        }
    }

    /// A name for one upstream among all of this process, for [`Self::new`].
    pub(crate) fn new_key() -> u64 {
        pool::new_key()
    }

    /// Forwards a request and answers with the upstream's head and streaming body, headers as the upstream sent them.
    ///
    /// # Errors
    /// `upstream_unavailable`, `upstream_timeout`, `payload_too_large`; `invalid_request` when the client does not deliver
    /// the body it announced.
    pub(crate) async fn forward(&self, forward: Forward<'_>) -> Result<Response<ResponseBody>, Refusal> {
        let Forward {
            request,
            path,
            token,
            identity,
        } = forward;
        let (mut parts, body) = request.into_parts();
        let uri = self.target(&parts.uri, path.as_deref())?;
        headers::rewrite(&mut parts.headers, &self.route, identity)?;
        if let Some(token) = token {
            attach::attach(token, &mut parts.headers)?;
        }
        let (upload, note) = Upload::new(body, self.route.max_body, self.route.stream_idle_timeout);
        let head = Head {
            method: parts.method,
            uri,
            headers: parts.headers,
        };
        let (response, link) = self
            .exchange(head, upload, note.as_deref())
            .await
            .map_err(Refusal::from)?;
        self.receive(response, link)
    }

    /// The target that the upstream sees: what was decided on, behind the configured base path.
    fn target(&self, asked: &Uri, canonical: Option<&str>) -> Result<Uri, Refusal> {
        let route = &*self.route;
        let base = route.upstream.base_path();
        if !route.strip_path && base.is_empty() && canonical.is_none() && asked.authority().is_none() {
            return Ok(asked.clone());
        }
        let path = canonical.unwrap_or(asked.path());
        let rest = if route.strip_path {
            path.strip_prefix(&*route.path).unwrap_or(path)
        } else {
            path
        };
        let slash = if rest.is_empty() && base.is_empty() || !rest.is_empty() && !rest.starts_with('/') {
            "/"
        } else {
            ""
        };
        let query = asked.query().map_or(String::new(), |query| format!("?{query}"));
        format!("{base}{slash}{rest}{query}")
            .parse::<PathAndQuery>()
            .map(Uri::from)
            .map_err(|_| Refusal::new(Code::InvalidRequest).saying("the target cannot be forwarded"))
    }

    async fn exchange(
        &self,
        head: Head,
        upload: Upload,
        note: Option<&Note>,
    ) -> Result<(Response<Incoming>, Box<Link>), Failure> {
        let Some(mut link) = pool::take(self.key, &self.hasty) else {
            return self.exchange_anew(head, upload, note).await;
        };
        // A copy only where it could be used: on connections that rested long enough for the upstream's own idle timeout to
        // strike between our look at the socket and our request, and where it closes them at any age.
        let shaky = || self.hasty.load(Ordering::Relaxed) || link.rested.elapsed() >= RESTED_LONG;
        let again = (note.is_none() && is_idempotent(&head.method) && shaky()).then(|| head.clone());
        match send(&mut link, head, upload, note, &self.route).await {
            Ok(response) => Ok((response, link)),
            Err(Failure::Died(_)) if again.is_some() && !link.has_received() => {
                drop(link);
                match again {
                    Some(head) => self.exchange_anew(head, Upload::default(), None).await,
                    None => Err(Failure::Died("the copy is gone".into())),
                }
            }
            Err(failure) => Err(failure),
        }
    }

    async fn exchange_anew(
        &self,
        head: Head,
        upload: Upload,
        note: Option<&Note>,
    ) -> Result<(Response<Incoming>, Box<Link>), Failure> {
        let mut link = Box::new(self.connect(&self.route.upstream).await?);
        let response = send(&mut link, head, upload, note, &self.route).await?;
        Ok((response, link))
    }

    async fn connect(&self, upstream: &Upstream) -> Result<Link, Failure> {
        let relay = Arc::new(Relay::default());
        let connecting = async {
            let stream = self.connector.connect(upstream, Arc::clone(&relay)).await?;
            Link::new(stream, relay, self.key).await.map_err(io::Error::other)
        };
        match tokio::time::timeout(self.route.connect_timeout, Box::pin(connecting)).await {
            Ok(Ok(link)) => Ok(link),
            Ok(Err(error)) => Err(Failure::Unreachable(error)),
            Err(_) => Err(Failure::Slow("the upstream does not accept connections in time")),
        }
    }

    fn receive(
        &self,
        response: Response<Incoming>,
        link: Box<Link>,
    ) -> Result<Response<ResponseBody>, Refusal> {
        let (mut parts, body) = response.into_parts();
        if parts.status == StatusCode::SWITCHING_PROTOCOLS {
            // Nobody asked: `Upgrade` is not forwarded (attack 157).
            return Err(
                Refusal::new(Code::UpstreamUnavailable).because("the upstream switched protocols unasked")
            );
        }
        check_framing(&parts)?;
        parts.version = Version::HTTP_11;
        // The reason phrase in an extension, an upgrade handle: nothing of it concerns the browser.
        parts.extensions = http::Extensions::new();
        let idle = (!is_event_stream(&parts.headers)).then_some(self.route.stream_idle_timeout);
        let body = UpstreamBody::new(body, link, idle).map_or(ResponseBody::Empty, ResponseBody::Upstream);
        Ok(Response::from_parts(parts, body))
    }
}

/// A request without its body.
#[derive(Clone)]
struct Head {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

/// Why there is no answer.
#[derive(Debug)]
enum Failure {
    /// No connection.
    Unreachable(io::Error),
    /// A connection, then none; or an answer that is none.
    Died(Cow<'static, str>),
    /// Not in time.
    Slow(&'static str),
    /// The upload was cut.
    TooLarge,
    /// The client does not deliver its body.
    NoBody(&'static str),
}

async fn send(
    link: &mut Link,
    head: Head,
    upload: Upload,
    note: Option<&Note>,
    route: &Route,
) -> Result<Response<Incoming>, Failure> {
    let mut request = Request::new(upload);
    *request.method_mut() = head.method;
    *request.uri_mut() = head.uri;
    *request.headers_mut() = head.headers;
    let mut answer = pin!(link.send(request));
    link.set_deadline(Some(if note.is_some() {
        route.stream_idle_timeout
    } else {
        route.timeout
    }));
    let mut seen = (Progress::Sending, 0);
    poll_fn(|cx| match link.poll_answer(cx, answer.as_mut()) {
        Poll::Ready(Ok(response)) => Poll::Ready(Ok(response)),
        Poll::Ready(Err(error)) => Poll::Ready(Err(match note.map(Note::progress) {
            Some(Progress::TooLarge) => Failure::TooLarge,
            Some(Progress::Broken) => Failure::NoBody("the request body is incomplete or malformed"),
            _ => Failure::Died(error.to_string().into()),
        })),
        Poll::Pending => {
            // While the client uploads, each piece buys time; the route's timeout runs from the last one.
            if let Some(note) = note {
                let now = (note.progress(), note.pieces());
                if now != seen {
                    seen = now;
                    let after = if now.0 == Progress::Done {
                        route.timeout
                    } else {
                        route.stream_idle_timeout
                    };
                    link.set_deadline(Some(after));
                }
            }
            if !link.is_overdue() {
                return Poll::Pending;
            }
            Poll::Ready(Err(match seen.0 {
                Progress::AwaitingClient => Failure::NoBody("the request body came too slowly"),
                _ => Failure::Slow("the upstream does not answer in time"),
            }))
        }
    })
    .await
}

/// An answer that two readers could end at different places is none (RFC 9112 §6.3), and neither is one with a status
/// that does not exist (RFC 9110 §15).
fn check_framing(answer: &Parts) -> Result<(), Refusal> {
    let refuse = |why| Err(Refusal::new(Code::UpstreamUnavailable).because(why));
    if answer.status.as_u16() > 599 {
        return refuse("the upstream's status is none");
    }
    let mut lengths = answer.headers.get_all(header::CONTENT_LENGTH).iter();
    if let Some(length) = lengths.next()
        && (lengths.next().is_some() || !length.as_bytes().iter().all(u8::is_ascii_digit))
    {
        return refuse("the upstream sent several lengths, or a list of them");
    }
    let mut codings = answer.headers.get_all(header::TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Ok(()),
        (Some(_), None) if answer.headers.contains_key(header::CONTENT_LENGTH) => {
            refuse("the upstream sent both Content-Length and Transfer-Encoding")
        }
        (Some(coding), None) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(()),
        _ => refuse("the upstream sent a transfer coding other than chunked"),
    }
}

fn is_idempotent(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE
    )
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| {
        value
            .as_bytes()
            .get(..EVENT_STREAM.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(EVENT_STREAM))
    })
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unreachable(error) => {
                Self::new(Code::UpstreamUnavailable).because(format!("cannot connect: {error}"))
            }
            Failure::Died(why) => Self::new(Code::UpstreamUnavailable).because(why),
            Failure::Slow(why) => Self::new(Code::UpstreamTimeout).because(why),
            Failure::TooLarge => Self::new(Code::PayloadTooLarge).closing(),
            Failure::NoBody(why) => Self::new(Code::InvalidRequest).saying(why).closing(),
        }
    }
}

/// Media type of server-sent events.
const EVENT_STREAM: &[u8] = b"text/event-stream";

/// From this age on a rested connection may be dying.
const RESTED_LONG: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests;
