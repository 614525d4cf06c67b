//! Where a body ends, however it arrives.

use proptest::prelude::*;

use super::*;

/// What comes out when `wire` arrives in pieces of these lengths (the last one over and over), and what is left.
fn read(mut decoder: Decoder, wire: &[u8], pieces: &[usize]) -> Result<(Vec<u8>, HeaderMap, Vec<u8>), Fault> {
    let mut arrived = BytesMut::new();
    let mut pieces = pieces
        .iter()
        .copied()
        .chain(std::iter::repeat(pieces.last().copied().unwrap_or(1)));
    let (mut body, mut trailers, mut at) = (Vec::new(), HeaderMap::new(), 0);
    loop {
        match decoder.decode(&mut arrived)? {
            Decoded::Data(data) => body.extend_from_slice(&data),
            Decoded::Trailers(found) => trailers = found,
            Decoded::End => {
                arrived.extend_from_slice(&wire[at..]);
                return Ok((body, trailers, arrived.to_vec()));
            }
            Decoded::More if at == wire.len() => return Err("it never ends"),
            Decoded::More => {
                let end = (at + pieces.next().unwrap().max(1)).min(wire.len());
                arrived.extend_from_slice(&wire[at..end]);
                at = end;
            }
        }
    }
}

const CHUNKED: Decoder = Decoder::Chunked(Step::Size);

#[test]
fn a_length_ends_where_it_says_and_leaves_the_rest() {
    let (body, _, left) = read(Decoder::Length(3), b"abcdef", &[2]).unwrap();
    assert_eq!((body.as_slice(), left.as_slice()), (&b"abc"[..], &b"def"[..]));
    assert!(read(Decoder::Length(9), b"abc", &[1]).is_err());
    let (body, _, left) = read(Decoder::Length(0), b"abc", &[1]).unwrap();
    assert_eq!((body.len(), left.as_slice()), (0, &b"abc"[..]));
}

#[test]
fn chunks_end_where_they_say_and_leave_the_rest() {
    for wire in [
        "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nleft",
        "003;name=value\r\nabc\r\n2 \r\nde\r\n0\r\n\r\nleft",
        "1\r\na\r\n4\r\nbcde\r\n000;x\r\n\r\nleft",
    ] {
        for piece in 1..wire.len() {
            let (body, trailers, left) = read(CHUNKED, wire.as_bytes(), &[piece]).unwrap();
            assert_eq!(
                (body.as_slice(), left.as_slice()),
                (&b"abcde"[..], &b"left"[..]),
                "{wire}"
            );
            assert!(trailers.is_empty());
        }
    }
}

#[test]
fn trailers_come_behind_the_last_chunk() {
    let wire = b"1\r\na\r\n0\r\nX-Sum: 1\r\nx-other: b\r\n\r\nleft";
    for piece in 1..wire.len() {
        let (body, trailers, left) = read(CHUNKED, wire, &[piece]).unwrap();
        assert_eq!((body.as_slice(), left.as_slice()), (&b"a"[..], &b"left"[..]));
        assert_eq!(
            (&trailers["x-sum"], &trailers["x-other"]),
            (&"1".parse().unwrap(), &"b".parse().unwrap())
        );
    }
}

// Attack 154: where two readers differ, nobody reads on.
#[test]
fn chunks_that_can_be_read_in_two_ways_are_an_error() {
    for wire in [
        "\r\n0\r\n\r\n",
        ";x\r\n0\r\n\r\n",
        " 3\r\nabc\r\n0\r\n\r\n",
        "+3\r\nabc\r\n0\r\n\r\n",
        "0x3\r\nabc\r\n0\r\n\r\n",
        "-1\r\n\r\n",
        "3\nabc\r\n0\r\n\r\n",
        "3\rabc\r\n0\r\n\r\n",
        "3;a\nb\r\nabc\r\n0\r\n\r\n",
        "3\r\nabcd\r\n0\r\n\r\n",
        "3\r\nabc0\r\n\r\n",
        "3\r\nabc\n0\r\n\r\n",
        "g\r\n\r\n",
        "11111111111111111\r\n",
        "0\r\nno field\r\n\r\n",
        "0\r\n: nameless\r\n\r\n",
        "0\r\n folded: x\r\n\r\n",
    ] {
        let read = read(CHUNKED, wire.as_bytes(), &[3]);
        assert!(
            read.as_ref().is_err_and(|why| *why != "it never ends"),
            "{wire:?}: {read:?}"
        );
    }
}

#[test]
fn neither_a_size_nor_trailers_go_on_for_ever() {
    let size = format!("1;{}", "x".repeat(LONGEST_SIZE_LINE));
    assert!(read(CHUNKED, size.as_bytes(), &[100]).is_err_and(|why| why != "it never ends"));
    let trailers = format!("0\r\nx: {}", "x".repeat(LONGEST_TRAILERS));
    assert!(read(CHUNKED, trailers.as_bytes(), &[100]).is_err_and(|why| why != "it never ends"));
    let many = format!("0\r\n{}\r\n", "x: y\r\n".repeat(MOST_TRAILERS + 1));
    assert!(read(CHUNKED, many.as_bytes(), &[100]).is_err_and(|why| why != "it never ends"));
}

proptest! {
    /// What was sent comes out, whatever the network makes of it.
    #[test]
    fn whatever_was_chunked_comes_out_whole(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..8),
        left in prop::collection::vec(any::<u8>(), 0..20),
        pieces in prop::collection::vec(1_usize..30, 1..10),
    ) {
        let mut wire = Vec::new();
        for chunk in &chunks {
            wire.extend_from_slice(format!("{:X}\r\n", chunk.len()).as_bytes());
            wire.extend_from_slice(chunk);
            wire.extend_from_slice(b"\r\n");
        }
        wire.extend_from_slice(b"0\r\n\r\n");
        wire.extend_from_slice(&left);
        let (body, _, rest) = read(CHUNKED, &wire, &pieces).unwrap();
        prop_assert_eq!(body, chunks.concat());
        prop_assert_eq!(rest, left);
    }

    /// However it is cut, the same bytes mean the same.
    #[test]
    fn cutting_changes_nothing(
        wire in "([0-9a-f]{0,2}(;[a-z]{0,3})?\r\n[a-z]{0,5}\r\n){0,4}(0\r\n)?(x: y\r\n)?(\r\n)?.{0,5}",
        pieces in prop::collection::vec(1_usize..10, 1..6),
    ) {
        let whole = read(CHUNKED, wire.as_bytes(), &[wire.len()]);
        let cut = read(CHUNKED, wire.as_bytes(), &pieces);
        prop_assert_eq!(whole.is_ok(), cut.is_ok(), "{:?} {:?}", whole, cut);
        if let (Ok(whole), Ok(cut)) = (whole, cut) {
            prop_assert_eq!(whole, cut);
        }
    }
}
