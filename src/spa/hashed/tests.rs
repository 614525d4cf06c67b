//! A hash is told from a word.

use super::is_hashed;

#[test]
fn only_what_looks_random_is_a_hash() {
    for name in [
        "index-BcD3f9aX.js",
        "main.3f2a9c1b.js",
        "main.3f2a9c1b.chunk.css",
        "vendor-0aF3kQ9z.css",
        "logo.5d5d9eefa31e5e13a6610d9fa7a283bb.svg",
        "chunk-2JAYTEM4.js",
        "a_b-BcD3f9aX.js.map",
        "app.abcdef12.js",
        "app-0123abcd.js",
        "app.deadbeef.js",
        "index-BxZk3_9a.css",
        "index-B-Zk39_a.css",
        "index-_xZk39aB.css",
    ] {
        assert!(is_hashed(name), "{name}");
    }
    for name in [
        "index.js",
        "index.html",
        "BcD3f9aX",
        "BcD3f9aX.js",
        "3f2a9c1b.js",
        "react-bootstrap.js",
        "report-20240101.json",
        "icon-1024x1024.png",
        "my-Report24.pdf",
        "jquery-3.7.1.min.js",
        "page-stores.js",
        "a-My-Page1.js",
        "user-my_page1.js",
        "a-20240101-0930.js",
        "-BxZk3_9a.css",
        "a-ABCDEFGH.js",
        "apple-touch-icon-180x180.png",
        ".js",
        "",
    ] {
        assert!(!is_hashed(name), "{name}");
    }
}
