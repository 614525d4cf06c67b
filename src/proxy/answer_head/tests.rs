//! Which heads are answers, and where their bodies end.

use proptest::prelude::*;

use super::*;

fn read(wire: &[u8], method: &Method, piece: usize) -> Result<(AnswerHead, Vec<u8>), Fault> {
    let mut reader = HeadReader::default();
    let mut arrived = BytesMut::new();
    let mut at = 0;
    loop {
        if let Some(head) = reader.read(&mut arrived, method)? {
            arrived.extend_from_slice(&wire[at..]);
            return Ok((head, arrived.to_vec()));
        }
        if at == wire.len() {
            return Err("it never ends");
        }
        let end = (at + piece).min(wire.len());
        arrived.extend_from_slice(&wire[at..end]);
        at = end;
    }
}

fn get(head: &str) -> Result<AnswerHead, Fault> {
    read(head.as_bytes(), &Method::GET, head.len()).map(|(head, _)| head)
}

#[test]
fn a_head_is_read_whole_however_it_arrives() {
    for wire in [
        "HTTP/1.1 201 Created\r\nX-A: 1\r\nx-a:2 \r\ncontent-length: 4\r\n\r\nbody",
        // RFC 9112 §2.2: a line may end in a single LF.
        "HTTP/1.1 201 Created\nX-A: 1\nx-a:2 \ncontent-length: 4\n\nbody",
        "HTTP/1.1 201\r\nX-A: 1\r\nx-a:2\r\ncontent-length: 4\r\n\r\nbody",
    ] {
        for piece in 1..=wire.len() {
            let (head, left) = read(wire.as_bytes(), &Method::GET, piece).unwrap();
            assert_eq!(head.status, StatusCode::CREATED);
            assert_eq!(head.headers.get_all("x-a").iter().collect::<Vec<_>>(), ["1", "2"]);
            assert_eq!((head.body, head.keeps), (Some(Decoder::Length(4)), true));
            assert_eq!(left, b"body", "{wire:?} in pieces of {piece}");
        }
    }
}

// RFC 9112 §6.3, in its order.
#[test]
fn a_body_ends_where_the_standard_says() {
    let ok = |fields: &str| get(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n")).unwrap();
    let ends = |head: AnswerHead| (head.body, head.keeps);
    assert_eq!(
        ends(ok("content-length: 5\r\n")),
        (Some(Decoder::Length(5)), true)
    );
    assert_eq!(ends(ok("content-length: 0\r\n")), (None, true));
    let chunked = (Some(Decoder::Chunked(Step::Size)), true);
    assert_eq!(ends(ok("Transfer-Encoding: Chunked\r\n")), chunked);
    assert_eq!(ends(ok("")), (Some(Decoder::UntilClose), false));
    // A 204 has no length; one that says so may be followed by as much.
    for (bodiless, keeps) in [("204 No Content", false), ("304 Not Modified", true)] {
        let head = get(&format!("HTTP/1.1 {bodiless}\r\ncontent-length: 5\r\n\r\n")).unwrap();
        assert_eq!(ends(head), (None, keeps), "{bodiless}");
    }
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
    let (head, _) = read(head.as_bytes(), &Method::HEAD, 99).unwrap();
    assert_eq!(
        (head.body, head.headers["content-length"].as_bytes()),
        (None, &b"5"[..])
    );
}

#[test]
fn a_connection_is_kept_only_where_the_upstream_keeps_it() {
    for (head, keeps) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n", true),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: keep-alive\r\n\r\n",
            true,
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: x, Close\r\n\r\n",
            false,
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: x\r\nconnection: close\r\n\r\n",
            false,
        ),
        (
            "HTTP/1.0 200 OK\r\ncontent-length: 1\r\nconnection: keep-alive\r\n\r\n",
            false,
        ),
        ("HTTP/1.1 200 OK\r\n\r\n", false),
    ] {
        assert_eq!(get(head).unwrap().keeps, keeps, "{head}");
    }
}

// Attack 154, RFC 9112 §6.3.
#[test]
fn what_two_readers_could_end_at_different_places_is_no_answer() {
    for fields in [
        "content-length: 1\r\ncontent-length: 1",
        "content-length: 1, 1",
        "content-length: +1",
        "content-length: -1",
        "content-length: 0x1",
        "content-length: 1 1",
        "content-length:",
        "content-length: 99999999999999999999",
        "content-length: 1\r\ntransfer-encoding: chunked",
        "transfer-encoding: gzip, chunked",
        "transfer-encoding: chunked, chunked",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked",
        "transfer-encoding: identity",
        "transfer-encoding:",
        "content-length : 1",
        "content-length: 1\r\n folded: 2",
        "x: \0",
        "x y: z",
    ] {
        assert!(
            get(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n")).is_err(),
            "{fields}"
        );
    }
    let old = get("HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    assert!(old.is_err());
}

#[test]
fn what_is_no_answer_at_all_is_none() {
    for wire in [
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n",
        "HTTP/1.1 600 Beyond\r\n\r\n",
        "HTTP/1.1 000 Nothing\r\n\r\n",
        "HTTP/1.1 99 Less\r\n\r\n",
        "HTTP/2 200\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
    ] {
        assert!(get(wire).is_err_and(|why| why != "it never ends"), "{wire:?}");
    }
}

#[test]
fn interim_answers_are_passed_over_and_the_last_one_counts() {
    let wire =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";
    for piece in 1..=wire.len() {
        let (head, left) = read(wire.as_bytes(), &Method::GET, piece).unwrap();
        assert_eq!(
            (head.status, head.headers.len(), left.len()),
            (StatusCode::OK, 0, 0)
        );
    }
}

// Attack 166.
#[test]
fn a_head_that_grows_without_end_is_refused() {
    let fields = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(MOST_FIELDS + 1));
    assert!(get(&fields).is_err());
    let line = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(2 * LONGEST_HEAD));
    let endless = read(line.as_bytes(), &Method::GET, 4096);
    assert_eq!(endless.unwrap_err(), "the head of the answer is too large");
    let large = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(LONGEST_HEAD));
    assert!(get(&large).is_err());
}

proptest! {
    /// Any bytes are an answer or they are not; in pieces they are the same.
    #[test]
    fn cutting_changes_nothing(
        wire in prop_oneof![
            "HTTP/1\\.[01] [1-6][0-9]{2}( [A-Za-z ]{0,5})?(\r\n|\n)(([a-zA-Z-]{1,8}|content-length|transfer-encoding|connection):( chunked| close| [0-9]{1,3}|[ -~]{0,8})(\r\n|\n)){0,4}(\r\n|\n)(.|\r|\n){0,8}",
            "(.|\r|\n){0,60}",
        ],
        piece in 1_usize..20,
    ) {
        let whole = read(wire.as_bytes(), &Method::GET, wire.len().max(1));
        let cut = read(wire.as_bytes(), &Method::GET, piece);
        match (whole, cut) {
            (Ok((whole, left)), Ok((cut, also_left))) => {
                prop_assert_eq!(format!("{whole:?}"), format!("{cut:?}"));
                prop_assert_eq!(left, also_left);
            }
            (Err(_), Err(_)) => {}
            (whole, cut) => prop_assert!(false, "{:?} {:?}", whole, cut),
        }
    }
}
