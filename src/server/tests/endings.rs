//! How connections end: by deadlines, by their clients, by a shutdown.

use super::*;

/// Deadlines that end a test soon. Nothing asserted depends on their length.
fn hasty() -> Bounds {
    Bounds {
        head: Duration::from_millis(40),
        idle: Duration::from_millis(40),
        stall: Duration::from_millis(40),
        linger: Duration::from_millis(40),
        ..Bounds::default()
    }
}

// Not a byte is lost, wherever between two requests a connection falls asleep.
#[tokio::test]
async fn a_connection_that_sleeps_is_woken_by_its_next_byte() {
    let sleepy = Bounds {
        doze: Duration::ZERO,
        ..Bounds::default()
    };
    let listening = listening_to(&echo().await, sleepy).await;
    let mut stream = listening.connect().await;
    // The last piece ends in the middle of the next head: what is read ahead goes to sleep with the connection.
    let (half, rest) = GET.split_at(GET.len() / 2);
    let mut text = String::new();
    for (sent, answers) in [
        (GET.to_owned(), 1),
        (GET.repeat(2), 3),
        (format!("{GET}{half}"), 4),
        (format!("{rest}{GET}"), 6),
    ] {
        stream.write_all(sent.as_bytes()).await.unwrap();
        while text.matches("HTTP/1.1 200").count() < answers {
            let mut piece = [0; 1024];
            let read = stream.read(&mut piece).await.unwrap();
            assert_ne!(read, 0, "closed after {text}");
            text.push_str(std::str::from_utf8(&piece[..read]).unwrap());
        }
        // Let it fall asleep.
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }
    stream.shutdown().await.unwrap();
    let mut left = String::new();
    stream.read_to_string(&mut left).await.unwrap();
    assert_eq!(
        text.matches("HTTP/1.1 200").count() + left.matches("HTTP/1.1 200").count(),
        6,
        "{text}\n{left}"
    );
}

#[tokio::test]
async fn a_connection_that_sleeps_ends_with_its_deadline_and_with_the_service() {
    let sleepy = Bounds {
        doze: Duration::ZERO,
        idle: Duration::from_millis(40),
        ..Bounds::default()
    };
    let listening = listening_to(&echo().await, sleepy).await;
    let answer = listening.all(GET).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "then idle: {answer}");

    let patient = Bounds {
        idle: Duration::from_secs(3600),
        ..sleepy
    };
    let mut listening = listening_to(&echo().await, patient).await;
    let mut stream = listening.connect().await;
    stream.write_all(GET.as_bytes()).await.unwrap();
    let mut first = [0; 8];
    stream.read_exact(&mut first).await.unwrap();
    listening.stop.take().unwrap().send(()).unwrap();
    to_end(stream).await;
    listening.serving.await.unwrap();
}

// Attack 163, dependencies §3.1.
#[tokio::test]
async fn silence_half_a_head_and_idleness_end_a_connection() {
    let listening = listening_to(&echo().await, hasty()).await;
    assert_eq!(listening.all("").await, "", "not a byte");
    assert_eq!(listening.all("GET /public/a HTT").await, "", "half a head");
    let answer = listening.all(GET).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "then idle: {answer}");
    let answer = listening.all(&format!("{GET}GET /public/b HT")).await;
    assert_eq!(
        answer.matches("HTTP/1.1 200").count(),
        1,
        "half of a second head: {answer}"
    );
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_cut() {
    // An upstream whose answer never ends.
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", upstream.local_addr().unwrap());
    let (ended, end) = oneshot::channel();
    tokio::spawn(async move {
        let (mut stream, _) = upstream.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        while stream.write_all(&vec![b'x'; 65_536]).await.is_ok() {}
        let _ = ended.send(());
    });
    let listening = listening_to(&url, hasty()).await;
    let mut stream = listening.connect().await;
    stream.write_all(GET.as_bytes()).await.unwrap();
    // We read nothing; the connection to the upstream ends because ours is cut.
    end.await.unwrap();
    drop(stream);
}

// Tools that send a request and close their side (`nc -N`) still read.
#[tokio::test]
async fn a_client_that_only_closes_its_side_gets_its_answer() {
    let listening = listening().await;
    for request in [
        GET.to_owned(),
        GET.repeat(3),
        "POST /public/a HTTP/1.1\r\nhost: shop.example.com\r\ncontent-length: 3\r\n\r\nabc".to_owned(),
    ] {
        let mut stream = listening.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let answers = to_end(stream).await;
        assert_eq!(
            answers.matches("HTTP/1.1 200").count(),
            request.matches("HTTP/1.1").count(),
            "{answers}"
        );
    }
}

#[tokio::test]
async fn a_client_that_goes_away_takes_its_forwarding_along() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", upstream.local_addr().unwrap());
    let listening = listening_to(&url, Bounds::default()).await;
    let mut stream = listening.connect().await;
    stream.write_all(GET.as_bytes()).await.unwrap();
    let (mut arrived, _) = upstream.accept().await.unwrap();
    arrived.read_u8().await.unwrap();
    drop(stream);
    let mut rest = Vec::new();
    // Ends when the connection does, without an answer of ours.
    let _ = arrived.read_to_end(&mut rest).await;
}

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
