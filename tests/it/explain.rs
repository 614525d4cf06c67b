//! `explain` with the cookies of a real session: which parts open, how long it lives, and never a token.

use std::process::Command;

use crate::world::jar::From;
use crate::world::{Binary, COOKIE_KEY, Plan, provider};

fn explain(service: &Binary, cookies: &str) -> String {
    std::fs::write(service.folder.path().join("cookies"), cookies).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_cloakroom"))
        .args(["explain", "GET", "/api/orders", "--cookie-file", "cookies"])
        .args(["-H", "token-handler-version: 1"])
        .current_dir(service.folder.path())
        .env_clear()
        .env("COOKIE_KEY", COOKIE_KEY)
        .env("CLIENT_SECRET", provider::CLIENT_SECRET)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sessions_cookies_are_opened_and_not_shown() {
    let service = Binary::serve(&Plan::default()).await;
    let browser = service.browser();
    browser.sign_in(&service.provider).await;
    let cookies = browser.jar().header("/api", From::SameSite).unwrap();
    for text in [format!("Cookie: {cookies}\n"), cookies.clone()] {
        let told = explain(&service, &text);
        for words in [
            "__Host-Http-shop-at opens",
            "__Host-Http-shop-rt opens",
            "__Host-Http-shop-id opens",
            "generation 0",
            "authorization: Bearer ***",
            "cookie __Host-Http-shop-at",
            "would be forwarded",
        ] {
            assert!(told.contains(words), "`{words}`\n{told}");
        }
        for secret in service.provider.issued() {
            assert!(!told.contains(&secret), "{told}");
        }
        assert!(!told.contains(COOKIE_KEY) && told.lines().all(|line| line.chars().count() <= 80));
    }
    // Changed, it does not open; and nobody is told where it broke.
    let (name, value) = cookies.split_once('=').unwrap();
    let flipped = if value.starts_with('A') { "B" } else { "A" };
    let told = explain(&service, &format!("Cookie: {name}={flipped}{}", &value[1..]));
    assert!(told.contains("401 session_missing"), "{told}");
    assert_eq!(service.upstream.count(), 0, "nothing was sent");
}
