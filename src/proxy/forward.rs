//! Send a request to its upstream and wait for the head of the answer.
//!
//! 1. A rested connection of this thread is used where there is one, else a new one is opened.
//! 2. Only a request without a body and with an idempotent method is ever sent again, once, and only when a rested
//!    connection died before a byte of the answer came (RFC 9110 §9.2.2, P-12).
//! 3. Whoever drops this future (the browser went away) drops the connection: the upstream sees it close.
//! 4. Redirects are passed back, never followed: the token goes to the configured host only (P-01, P-22).

use std::borrow::Cow;
use std::sync::Arc;

use http::request::Parts;
use http::{Method, Response, Uri};
use zeroize::Zeroizing;

use super::answer_head::{AnswerHead, is_event_stream};
use super::exchange::{Exchange, Failure};
use super::link::Link;
use super::outbox::Outbox;
use super::upload::{Framing, Upload};
use super::{Connector, Identity, UpstreamBody, headers, pool};
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
}

/// One request to be forwarded.
#[derive(Debug)]
pub(crate) struct Forward<'a> {
    /// The head of the request as it came; its session has been decided about.
    pub(crate) head: &'a Parts,
    /// Its body.
    pub(crate) body: RequestBody,
    /// Its canonical path, where that is not the path as it came.
    pub(crate) path: Option<&'a str>,
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
            head: parts,
            body,
            path,
            token,
            identity,
        } = forward;
        let upload = Upload::new(body, self.route.max_body, self.route.stream_idle_timeout);
        let framing = upload.framing();
        let mut rested = pool::take(self.key);
        let mut head = rested
            .as_mut()
            .map(|link| std::mem::take(&mut link.spare))
            .unwrap_or_default();
        self.write_head(&mut head, parts, path, framing, token, &identity)?;
        let mut outbox = Outbox::new(head, framing, upload);
        let (answer, link) = self
            .exchange(&parts.method, &mut outbox, rested)
            .await
            .map_err(|failure| failure.refusal(&self.route.upstream))?;
        Ok(self.receive(answer, link, outbox))
    }

    /// The head of the request as the upstream sees it.
    fn write_head(
        &self,
        head: &mut Vec<u8>,
        parts: &Parts,
        path: Option<&str>,
        framing: Framing,
        token: Option<&AccessToken>,
        identity: &Identity<'_>,
    ) -> Result<(), Refusal> {
        let target = self.target(&parts.uri, path);
        put_request_line(head, &parts.method, &target)?;
        headers::write(head, &parts.headers, framing, &self.route, token, identity)
    }

    /// What [`Self::forward`] would send for a request without a body, and does not. It holds the token.
    pub(crate) fn preview(
        &self,
        parts: &Parts,
        path: Option<&str>,
        token: Option<&AccessToken>,
        identity: &Identity<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let mut head = Zeroizing::new(Vec::new());
        self.write_head(&mut head, parts, path, Framing::Nothing, token, identity)?;
        Ok(head)
    }

    /// The target that the upstream sees: what was decided on, behind the configured base path.
    fn target<'u>(&self, asked: &'u Uri, canonical: Option<&str>) -> Cow<'u, str> {
        let route = &*self.route;
        let base = route.upstream.base_path();
        if let Some(whole) = asked.path_and_query()
            && !route.strip_path
            && base.is_empty()
            && canonical.is_none()
        {
            return whole.as_str().into();
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
        format!("{base}{slash}{rest}{query}").into()
    }

    /// Sends the request and waits for the head of its answer, on a connection that rested or on a new one.
    async fn exchange(
        &self,
        method: &Method,
        outbox: &mut Outbox,
        rested: Option<Box<Link>>,
    ) -> Result<(AnswerHead, Box<Link>), Failure> {
        if let Some(mut link) = rested {
            match Exchange::new(&mut link, method, outbox, &self.route)
                .answer()
                .await
            {
                Ok(answer) => return Ok((answer, link)),
                // Its upstream closed it while our request was on its way, as far as anybody can tell.
                Err(Failure::Died { unheard: true, .. })
                    if outbox.can_start_over() && is_idempotent(method) =>
                {
                    outbox.start_over();
                }
                Err(failure) => return Err(failure),
            }
        }
        let mut link = Box::new(self.connect(&self.route.upstream).await?);
        let answer = Exchange::new(&mut link, method, outbox, &self.route)
            .answer()
            .await?;
        Ok((answer, link))
    }

    async fn connect(&self, upstream: &Upstream) -> Result<Link, Failure> {
        let connecting = self.connector.connect(upstream);
        match tokio::time::timeout(self.route.connect_timeout, Box::pin(connecting)).await {
            Ok(Ok(wire)) => Ok(Link::new(wire, self.key)),
            Ok(Err(error)) => Err(Failure::Unreachable(error)),
            Err(_) => Err(Failure::Slow("the upstream does not accept connections in time")),
        }
    }

    fn receive(&self, answer: AnswerHead, mut link: Box<Link>, outbox: Outbox) -> Response<ResponseBody> {
        // An answer that came before its request was all sent: nobody knows what the upstream makes of the rest.
        let early = !outbox.is_sent();
        let keeps = answer.keeps && !early;
        let outbox = if early {
            Some(Box::new(outbox))
        } else {
            link.spare = outbox.into_buffer();
            None
        };
        let mut response = Response::new(ResponseBody::Empty);
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        if let Some(decoder) = answer.body {
            let idle = (!is_event_stream(response.headers())).then_some(self.route.stream_idle_timeout);
            *response.body_mut() =
                ResponseBody::Upstream(UpstreamBody::new(decoder, link, keeps, outbox, idle));
        } else if keeps {
            pool::give_back(link);
        }
        response
    }
}

/// The first line. Everything in the target has been read as a URI or written by the operator; should a blank or a line
/// break be in it all the same, it goes nowhere.
fn put_request_line(head: &mut Vec<u8>, method: &Method, target: &str) -> Result<(), Refusal> {
    if !target.bytes().all(|byte| byte > b' ' && byte != 0x7f) {
        return Err(Refusal::new(Code::InvalidRequest).saying("the target cannot be forwarded"));
    }
    head.extend_from_slice(method.as_str().as_bytes());
    head.push(b' ');
    head.extend_from_slice(target.as_bytes());
    head.extend_from_slice(b" HTTP/1.1\r\n");
    Ok(())
}

/// Whether doing it twice is doing it once (RFC 9110 §9.2.2).
pub(crate) fn is_idempotent(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE
    )
}

#[cfg(test)]
mod tests;
