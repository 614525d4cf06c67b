//! Who answers behind a listener: the public side, or the one for operators.

use std::future::Future;
use std::net::IpAddr;

use http::{Method, Request, Response};

use crate::body::{RequestBody, ResponseBody};
use crate::handler::TokenHandler;
use crate::metrics::OpenConnection;

/// Whoever answers requests that came in whole.
pub(crate) trait Answering: Clone + Send + Sync + 'static {
    /// The largest head that it looks at, for the listener's buffers.
    fn max_header_bytes(&self) -> usize;

    /// Answers one request.
    fn handle(
        &self,
        request: Request<RequestBody>,
        peer: IpAddr,
    ) -> impl Future<Output = Response<ResponseBody>> + Send;

    /// The answer where there is no room.
    fn overloaded(&self, method: &Method, peer: IpAddr) -> Response<ResponseBody>;

    /// The answer to a malformed head.
    fn malformed(&self, method: &Method, peer: IpAddr, why: &'static str) -> Response<ResponseBody>;

    /// Counts a connection while it is open; `full`: it is only told that there is no room.
    fn connection(&self, full: bool) -> Option<OpenConnection>;

    /// Counts a connection that is closed unheard.
    fn connection_dropped(&self);

    /// Waits until nothing is under way that must not be cut off.
    fn settled(&self) -> impl Future<Output = ()> + Send;
}

impl Answering for TokenHandler {
    fn max_header_bytes(&self) -> usize {
        self.max_header_bytes()
    }

    fn handle(
        &self,
        request: Request<RequestBody>,
        peer: IpAddr,
    ) -> impl Future<Output = Response<ResponseBody>> + Send {
        self.handle(request, peer)
    }

    fn overloaded(&self, method: &Method, peer: IpAddr) -> Response<ResponseBody> {
        self.overloaded(method, peer)
    }

    fn malformed(&self, method: &Method, peer: IpAddr, why: &'static str) -> Response<ResponseBody> {
        self.malformed(method, peer, why)
    }

    fn connection(&self, full: bool) -> Option<OpenConnection> {
        Some(self.meters().connection(full))
    }

    fn connection_dropped(&self) {
        self.meters().connection_dropped();
    }

    fn settled(&self) -> impl Future<Output = ()> + Send {
        self.settled()
    }
}
