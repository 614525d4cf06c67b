//! The forms of `store.url`, and what is shown of one.

#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use super::{RedisForm, RedisUrl};

impl RedisUrl {
    /// For tests that know it to be right.
    pub(crate) fn of(text: &str) -> Self {
        Self::parse(text).unwrap()
    }
}

fn read(text: &str) -> RedisUrl {
    RedisUrl::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"))
}

#[test]
fn each_form_reads_as_what_it_says() {
    let one = read("redis://127.0.0.1");
    assert_eq!(one.form(), &RedisForm::One);
    assert_eq!(one.nodes(), [("127.0.0.1".into(), 6379)]);
    assert!(!one.tls() && one.username().is_none() && one.password().is_none());

    let one = read("rediss://shop:p%40ss%2Fw@redis.example.com:6380/3");
    assert_eq!(one.nodes(), [("redis.example.com".into(), 6380)]);
    assert_eq!((one.username(), one.password()), (Some("shop"), Some("p@ss/w")));
    assert!(one.tls() && one.database() == 3);

    assert_eq!(read("redis://:secret@[::1]:80").nodes(), [("::1".into(), 80)]);

    let cluster = read("valkeys+cluster://a:7000,b");
    assert_eq!(cluster.form(), &RedisForm::Cluster);
    assert_eq!(cluster.nodes(), [("a".into(), 7000), ("b".into(), 6379)]);

    let sentinel = read("redis+sentinel://:pw@h1,h2:26380/mymaster/2");
    assert_eq!(
        sentinel.form(),
        &RedisForm::Sentinel {
            master: "mymaster".into()
        }
    );
    assert_eq!(sentinel.nodes(), [("h1".into(), 26379), ("h2".into(), 26380)]);
    assert_eq!(sentinel.database(), 2);
}

#[test]
fn what_is_no_such_url_is_refused_without_repeating_it() {
    for text in [
        "",
        "127.0.0.1:6379",
        "http://127.0.0.1",
        "redis://",
        "redis://a,b",
        "redis://a/b",
        "redis://a/-1",
        "redis://a:99999",
        "redis://a:0",
        "redis://a:",
        "redis://user@a",
        "redis://a?protocol=3",
        "redis://a#insecure",
        "redis://a b",
        "redis://a\r\nFLUSHALL",
        "redis+cluster://a,",
        "redis+cluster://a/1",
        "redis+sentinel://a",
        "redis+sentinel://a/",
        "redis+unix:///run/redis.sock",
    ] {
        let why = RedisUrl::parse(text).unwrap_err();
        assert!(text.is_empty() || !why.contains(text), "{why}");
    }
}

#[test]
fn no_credential_is_shown() {
    // Attack 534.
    for (text, shown) in [
        ("redis://shop:hunter2@h:6379/1", "redis://***@h:6379/1"),
        (
            "rediss+sentinel://:hunter2@h1,h2/m",
            "rediss+sentinel://***@h1:26379,h2:26379/m",
        ),
        ("redis+cluster://[::1]:7000", "redis+cluster://[::1]:7000"),
    ] {
        let url = read(text);
        assert_eq!(url.shown(), shown);
        assert_eq!(format!("{url:?}"), shown);
    }
}

#[test]
fn a_host_elsewhere_is_found_among_several() {
    assert_eq!(read("redis://localhost").elsewhere(), None);
    assert_eq!(read("redis://[::1]").elsewhere(), None);
    assert_eq!(
        read("redis+cluster://127.0.0.1,redis.example.com").elsewhere(),
        Some("redis.example.com")
    );
}
