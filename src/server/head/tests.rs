//! Heads that the HTTP library lets pass and we do not.

use super::*;

fn checked(head: &str, target: &str, chunked: bool) -> Result<(), &'static str> {
    let mut headers = HeaderMap::new();
    if chunked {
        headers.insert(TRANSFER_ENCODING, "chunked".parse().unwrap());
    }
    let method = Method::from_bytes(head.trim_start().split(' ').next().unwrap().as_bytes()).unwrap();
    check(head.as_bytes(), &method, &target.parse().unwrap(), &headers)
}

#[test]
fn ordinary_heads_pass() {
    assert_eq!(
        checked("GET /a?b HTTP/1.1\r\nhost: x\r\n\r\n", "/a?b", false),
        Ok(())
    );
    assert_eq!(
        checked("POST /a HTTP/1.1\r\nContent-Length: 4\r\n\r\na\nb\n", "/a", false),
        Ok(())
    );
    assert_eq!(
        checked(
            "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\na\nb\n",
            "/a",
            true
        ),
        Ok(())
    );
    let multipart = "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n20\r\nContent-Length: 5\r\n";
    assert_eq!(
        checked(multipart, "/a", true),
        Ok(()),
        "the body may say what it likes"
    );
    assert_eq!(
        checked("\r\nGET /a HTTP/1.1\r\nhost: x\r\n\r\n", "/a", false),
        Ok(())
    );
}

// P-10, attack 154.
#[test]
fn heads_that_servers_read_differently_do_not() {
    for (head, target, chunked) in [
        (
            "POST /a HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
            "/a",
            true,
        ),
        (
            "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\ncontent-length: 4\r\n\r\n",
            "/a",
            true,
        ),
        ("GET /a HTTP/1.1\nhost: x\r\n\r\n", "/a", false),
        ("GET /a HTTP/1.1\r\nhost: x\nx: y\r\n\r\n", "/a", false),
        ("GET /a HTTP/1.1\r\nhost: x\n\n", "/a", false),
        ("GET /a#b HTTP/1.1\r\nhost: x\r\n\r\n", "/a", false),
        (
            "POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "/a",
            true,
        ),
        (
            "\r\nPOST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "/a",
            true,
        ),
    ] {
        assert!(checked(head, target, chunked).is_err(), "{head:?}");
    }
}
