//! What a shutdown waits for, and what not.

use super::*;

#[tokio::test]
async fn a_shutdown_finishes_what_is_in_flight_and_closes_what_is_idle() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", upstream.local_addr().unwrap());
    let mut listening = listening_to(&url, Bounds::default()).await;
    let idle = listening.connect().await;
    let mut busy = listening.connect().await;
    busy.write_all(GET.as_bytes()).await.unwrap();
    let (mut arrived, _) = upstream.accept().await.unwrap();
    while arrived.read_u8().await.unwrap() != b'\n' {}

    listening.stop.take().unwrap().send(()).unwrap();
    assert_eq!(to_end(idle).await, "");
    arrived
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        .await
        .unwrap();
    let answer = to_end(busy).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok"),
        "{answer}"
    );
    listening.serving.await.unwrap();
    assert!(
        TcpStream::connect(listening.address).await.is_err(),
        "nobody listens any more"
    );
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_half_a_head() {
    let bounds = Bounds {
        linger: Duration::from_millis(20),
        head: Duration::from_secs(3600),
        drain: Duration::from_secs(3600),
        ..Bounds::default()
    };
    let mut listening = listening_to("http://127.0.0.1:9", bounds).await;
    let mut half = listening.connect().await;
    half.write_all(b"GET /public/a HTTP/1.1\r\nhost: sh")
        .await
        .unwrap();
    // Another connection, answered: by then the half is read.
    assert!(
        listening
            .all("GET / HTTP/1.1\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 400")
    );
    listening.stop.take().unwrap().send(()).unwrap();
    listening.serving.await.unwrap();
    assert_eq!(to_end(half).await, "");
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_ever() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", upstream.local_addr().unwrap());
    let bounds = Bounds {
        drain: Duration::from_millis(20),
        ..Bounds::default()
    };
    let mut listening = listening_to(&url, bounds).await;
    let mut busy = listening.connect().await;
    busy.write_all(GET.as_bytes()).await.unwrap();
    let (mut arrived, _) = upstream.accept().await.unwrap();
    arrived.read_u8().await.unwrap();
    listening.stop.take().unwrap().send(()).unwrap();
    listening.serving.await.unwrap();
    assert_eq!(to_end(busy).await, "", "cut");
}
