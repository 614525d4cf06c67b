//! Whether a connection may be used again.

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

use super::*;

// Attack 154: the answer to nobody would become the answer to somebody.
#[tokio::test]
async fn a_task_that_has_read_a_lot_still_sees_that_a_connection_is_not_fresh() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    server.write_all(b"unasked").await.unwrap();
    client.readable().await.unwrap();
    let mut link = Link::new(Wire::Tcp(client), 0);
    let is_fresh = poll_fn(|cx| {
        while pin!(tokio::task::consume_budget()).poll(cx).is_ready() {}
        Poll::Ready(link.is_fresh())
    });
    assert!(!is_fresh.await);
}
