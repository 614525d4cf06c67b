//! The listener: bytes, deadlines, drain. An own accept loop, because `axum::serve` arms no header timeout.

use std::future::Future;

use tokio::net::TcpListener;

use crate::handler::TokenHandler;

/// Serves until `shutdown` resolves, then drains: no new connections, requests in flight finish (bounded), idle
/// connections close.
pub async fn serve(
    _listeners: Vec<TcpListener>,
    _handler: TokenHandler,
    _shutdown: impl Future<Output = ()> + Send,
) {
    todo!()
}
