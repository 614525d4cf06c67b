//! The listener: bytes, deadlines, drain. An own accept loop, because `axum::serve` arms no header timeout.
//!
//! 1. A fresh connection sends its first byte, and every request head arrives whole, within ten seconds; an idle one
//!    is closed after 75; a reader that takes nothing for a minute is cut (attack 163).
//! 2. Connections are counted. Beyond the limit the next ones are told so (503 `overloaded`), beyond that they are closed.
//! 3. A failing `accept` (no file descriptors left, say) waits a little and goes on: it never ends the service.
//! 4. `shutdown`: no new connections, idle ones close at once, requests in flight finish, bounded; then
//!    the renewals and revocations that they left behind.
//!
//! | file | what it does |
//! | --- | --- |
//! | `answering` | who answers behind it |
//! | `connection` | one connection from its first byte to its last |
//! | `io` | the socket, watched: when it stalls, which head it brought |
//! | `head` | what the HTTP library lets pass in a head and we do not |
//! | `drain` | who is still there, and how to reach them |

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method, Uri};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::handler::TokenHandler;

mod answering;
mod connection;
mod drain;
mod head;
mod io_watch;

pub(crate) use answering::Answering;
use drain::Drain;

/// Serves until `shutdown` resolves, then drains: no new connections, requests in flight finish (bounded), idle
/// connections close.
pub async fn serve(
    listeners: Vec<TcpListener>,
    handler: TokenHandler,
    shutdown: impl Future<Output = ()> + Send,
) {
    serve_within(listeners, handler, shutdown, Bounds::default()).await;
}

/// The same for a listener beside the public one, with fewer connections and less patience.
pub(crate) async fn serve_aside(
    listener: TcpListener,
    answering: impl Answering,
    shutdown: impl Future<Output = ()> + Send,
) {
    serve_within(vec![listener], answering, shutdown, Bounds::aside()).await;
}

async fn serve_within<A: Answering>(
    listeners: Vec<TcpListener>,
    handler: A,
    shutdown: impl Future<Output = ()> + Send,
    bounds: Bounds,
) {
    let house = Arc::new(House {
        rooms: Arc::new(Semaphore::new(bounds.connections)),
        lobby: Arc::new(Semaphore::new(bounds.refused_at_once)),
        drain: Drain::default(),
        handler,
        bounds,
    });
    let accepting: Vec<_> = listeners
        .into_iter()
        .map(|listener| tokio::spawn(accept(listener, Arc::clone(&house))))
        .collect();
    pin!(shutdown).await;
    for task in &accepting {
        task.abort();
    }
    for task in accepting {
        // Aborted, with its listener closed behind it.
        let _ = task.await;
    }
    house.drain.begin();
    let all = u32::try_from(bounds.connections).unwrap_or(u32::MAX);
    if tokio::time::timeout(bounds.drain, house.rooms.acquire_many(all))
        .await
        .is_err()
    {
        tracing::warn!(
            event = "drain_cut",
            connections = bounds.connections - house.rooms.available_permits(),
            "requests are still in flight after the drain time; closing them"
        );
        house.drain.cut();
    }
    // What must not be cancelled outlives its request: a rotation that is cut off costs its user the session.
    if tokio::time::timeout(SETTLE, house.handler.settled())
        .await
        .is_err()
    {
        tracing::warn!(
            event = "settle_cut",
            "a renewal or revocation at the provider is cut off"
        );
    }
}

/// What the listener says of a head that the HTTP library lets pass.
///
/// # Errors
/// What is wrong with it: it is answered with 400.
pub(crate) fn check_head(
    bytes: &[u8],
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<(), &'static str> {
    head::check(bytes, method, uri, headers)
}

/// What all connections share.
struct House<A> {
    handler: A,
    rooms: Arc<Semaphore>,
    lobby: Arc<Semaphore>,
    drain: Drain,
    bounds: Bounds,
}

/// How many and how long.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// Connections at a time.
    connections: usize,
    /// Connections beyond that which are being told so.
    refused_at_once: usize,
    /// From the first byte of a head (of a fresh connection: from its start) to its last.
    head: Duration,
    /// Between two requests.
    idle: Duration,
    /// After which an idle connection gives its buffers away.
    doze: Duration,
    /// While the client takes nothing of its answer.
    stall: Duration,
    /// For the next piece of its answer, once a client has closed its side: most have gone then.
    left: Duration,
    /// How long is read on after the last answer.
    linger: Duration,
    /// How long requests in flight may take after `shutdown`.
    drain: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 16_384,
            refused_at_once: 256,
            head: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            doze: Duration::from_secs(1),
            stall: Duration::from_secs(60),
            left: Duration::from_millis(500),
            linger: Duration::from_secs(2),
            drain: Duration::from_secs(30),
        }
    }
}

impl Bounds {
    /// For a listener that operators and their machines ask.
    fn aside() -> Self {
        Self {
            connections: 256,
            refused_at_once: 16,
            idle: Duration::from_secs(30),
            stall: Duration::from_secs(10),
            drain: Duration::from_secs(2),
            ..Self::default()
        }
    }
}

async fn accept<A: Answering>(listener: TcpListener, house: Arc<House<A>>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => admit(stream, peer, &house),
            Err(error) if concerns_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(event = "accept_failed", %error, "cannot accept connections; trying again");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn admit<A: Answering>(stream: TcpStream, peer: SocketAddr, house: &Arc<House<A>>) {
    let (permit, full) = match Arc::clone(&house.rooms).try_acquire_owned() {
        Ok(permit) => (permit, false),
        Err(_) => match Arc::clone(&house.lobby).try_acquire_owned() {
            Ok(permit) => (permit, true),
            // Too many even to be told.
            Err(_) => return house.handler.connection_dropped(),
        },
    };
    let house = Arc::clone(house);
    let counted = house.handler.connection(full);
    tokio::spawn(async move {
        let _permit = permit;
        let _counted = counted;
        connection::serve(stream, peer, house, full).await;
    });
}

/// A connection that was gone before we took it.
fn concerns_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

/// How long renewals and revocations at the provider may take after that.
const SETTLE: Duration = Duration::from_secs(10);

/// After a failed `accept`.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests;
