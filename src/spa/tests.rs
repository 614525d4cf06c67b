//! What is served, how, and what is not.

use std::path::Path;
use std::sync::Arc;

use axum::body::to_bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};

use super::*;
use crate::config::tests::fixture::{self, app};
use crate::config::{Origin, Route};
use crate::random::OsRandom;

const PAGE: &str =
    "<!doctype html><script nonce=\"__CSP_NONCE__\">1</script><style nonce=\"__CSP_NONCE__\"></style>";
const HTML: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

struct World {
    root: tempfile::TempDir,
    spa: Spa,
}

/// An answer, taken apart.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl World {
    fn new() -> Self {
        Self::configured(|_| {})
    }

    fn configured(change: impl FnOnce(&mut App)) -> Self {
        let root = tempfile::tempdir().unwrap();
        let dist = root.path().join("dist");
        write(&root.path().join("secret.txt"), "secret");
        for (path, text) in [
            ("index.html", PAGE),
            ("about.html", "<p>about</p>"),
            ("docs/index.html", "<p>docs</p>"),
            ("app.js", "export {}"),
            ("assets/index-BcD3f9aX.js", "export {}"),
            ("a b.txt", "blank"),
            ("pic.svg", "<svg/>"),
            ("feed.xml", "<feed/>"),
            ("page.xhtml", "<html/>"),
            ("old.shtml", "<p>"),
            ("data.bin", "0123456789"),
            (".env", "SECRET=1"),
            (".git/config", "secret"),
            (".well-known/security.txt", "Contact: x"),
            (".well-known/.hidden", "secret"),
            ("docs/.well-known/x", "secret"),
            ("oauth-agent/x.js", "not reachable"),
            ("api/x.js", "not reachable"),
            ("apix.js", "reachable"),
        ] {
            write(&dist.join(path), text);
        }
        let mut app = app();
        app.routes = vec![route("/api")];
        change(&mut app);
        let spa = Spa::new(&SpaFiles::Dir(dist), &app, Arc::new(OsRandom));
        Self { root, spa }
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, &str)],
    ) -> Result<Answer, Refusal> {
        ask(&self.spa, method, path, headers).await
    }

    async fn get(&self, path: &str) -> Result<Answer, Refusal> {
        self.ask(Method::GET, path, &[(header::ACCEPT, "*/*")]).await
    }

    async fn navigate(&self, path: &str) -> Result<Answer, Refusal> {
        self.ask(Method::GET, path, &[(header::ACCEPT, HTML)]).await
    }
}

async fn ask(
    spa: &Spa,
    method: Method,
    path: &str,
    headers: &[(HeaderName, &str)],
) -> Result<Answer, Refusal> {
    let headers = headers
        .iter()
        .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
        .collect();
    let response: Response<ResponseBody> = spa.serve(&method, path, &headers).await?;
    let (head, body) = response.into_parts();
    Ok(Answer {
        status: head.status,
        headers: head.headers,
        body: to_bytes(axum::body::Body::new(body), 1 << 20)
            .await
            .unwrap()
            .to_vec(),
    })
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn route(path: &str) -> Arc<Route> {
    Arc::new(Route {
        path: path.into(),
        ..fixture::route("http://127.0.0.1:9001")
    })
}

fn code(answer: Result<Answer, Refusal>) -> &'static str {
    answer.unwrap_err().code.as_str()
}

#[tokio::test]
async fn a_page_has_a_policy_with_its_own_nonce() {
    let world = World::new();
    let (one, other) = (
        world.get("/").await.unwrap(),
        world.get("/index.html").await.unwrap(),
    );
    let policy = one.header("content-security-policy").to_owned();
    let nonce = policy
        .split("'nonce-")
        .nth(1)
        .unwrap()
        .split('\'')
        .next()
        .unwrap();
    assert_eq!(
        policy,
        format!(
            "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; \
             img-src 'self' data:; connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; \
             form-action 'self'; frame-ancestors 'none'"
        )
    );
    assert_eq!(nonce.len(), 43);
    assert_eq!(one.text(), PAGE.replace("__CSP_NONCE__", nonce));
    assert_ne!(
        one.header("content-security-policy"),
        other.header("content-security-policy")
    );
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-cache"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("strict-transport-security", "max-age=31536000"),
        // A 304 would keep the old body beside a new nonce.
        ("etag", ""),
        ("last-modified", ""),
    ] {
        assert_eq!(one.header(name), value, "{name}");
    }
}

#[tokio::test]
async fn on_a_plain_origin_nothing_is_said_about_https() {
    let world = World::configured(|app| app.origin = Origin::parse("http://localhost:8080").unwrap());
    for path in ["/", "/app.js"] {
        assert_eq!(
            world.get(path).await.unwrap().header("strict-transport-security"),
            ""
        );
    }
}

#[tokio::test]
async fn paths_of_the_apps_own_router_get_the_page() {
    let world = World::new();
    for path in [
        "/orders",
        "/orders/7",
        "/docs",
        "/nothing.js",
        "/app.js/x",
        "/a/b/",
    ] {
        let answer = world.navigate(path).await.unwrap();
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.text().starts_with("<!doctype html>"), "{path}");
        let head = world
            .ask(Method::HEAD, path, &[(header::ACCEPT, HTML)])
            .await
            .unwrap();
        assert!(head.body.is_empty());
        assert_eq!(head.header("content-length"), answer.body.len().to_string());
    }
    assert_eq!(world.navigate("/docs/").await.unwrap().text(), "<p>docs</p>");
    assert_eq!(
        world.navigate("/about.html").await.unwrap().text(),
        "<p>about</p>"
    );
}

#[tokio::test]
async fn what_does_not_ask_for_a_page_does_not_get_one() {
    let world = World::new();
    for accept in [
        "*/*",
        "application/json",
        "text/css,*/*;q=0.1",
        "image/*",
        "text/html;q=0",
        "text/htmlx",
        "",
    ] {
        let answer = world
            .ask(Method::GET, "/nothing.js", &[(header::ACCEPT, accept)])
            .await;
        assert_eq!(code(answer), "route_not_found", "{accept}");
    }
    assert_eq!(
        code(world.ask(Method::GET, "/orders", &[]).await),
        "route_not_found"
    );
}

#[tokio::test]
async fn other_methods_have_no_business_here() {
    let world = World::new();
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let refusal = world.ask(method.clone(), "/app.js", &[]).await.unwrap_err();
        assert_eq!(
            (refusal.code, refusal.allow.unwrap()),
            (Code::MethodNotAllowed, HeaderValue::from_static("GET, HEAD"))
        );
        let answer = world.ask(method, "/orders", &[(header::ACCEPT, HTML)]).await;
        assert_eq!(code(answer), "route_not_found");
    }
}

#[tokio::test]
async fn below_agent_and_routes_there_are_no_files() {
    let world = World::new();
    for path in [
        "/oauth-agent",
        "/oauth-agent/x.js",
        "/oauth-agent/session",
        "/api",
        "/api/x.js",
    ] {
        assert_eq!(code(world.navigate(path).await), "route_not_found", "{path}");
    }
    assert_eq!(world.get("/apix.js").await.unwrap().text(), "reachable");
}

#[tokio::test]
async fn nothing_hidden_and_nothing_outside_is_served() {
    let world = World::new();
    let dist = world.root.path().join("dist");
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        symlink(world.root.path().join("secret.txt"), dist.join("link.txt")).unwrap();
        symlink(world.root.path(), dist.join("up")).unwrap();
        symlink(dist.join("app.js"), dist.join("inside.js")).unwrap();
    }
    for path in [
        "/.env",
        "/%2eenv",
        "/.git/config",
        "/.git/",
        "/docs/.well-known/x",
        "/.well-known/.hidden",
        "/.well-known",
        "/..",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/docs/../../secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e%2fsecret.txt",
        "/..\\secret.txt",
        "/..%5csecret.txt",
        "//etc/passwd",
        "/docs//index.html",
        "/app.js%00",
        "/%00",
        "/%ff",
        "/C:/x",
        "",
    ] {
        for answer in [world.get(path).await, world.navigate(path).await] {
            assert_eq!(code(answer), "route_not_found", "{path}");
        }
    }
    // A link that leads out, a folder: no file, so the app's own path, or nothing.
    for path in ["/link.txt", "/up/secret.txt", "/docs", "/assets", "/assets/"] {
        assert_eq!(code(world.get(path).await), "route_not_found", "{path}");
        assert!(
            world
                .navigate(path)
                .await
                .unwrap()
                .text()
                .starts_with("<!doctype html>"),
            "{path}"
        );
    }
    assert_eq!(
        world.get("/.well-known/security.txt").await.unwrap().text(),
        "Contact: x"
    );
    assert_eq!(world.get("/a%20b.txt").await.unwrap().text(), "blank");
    #[cfg(unix)]
    assert_eq!(world.get("/inside.js").await.unwrap().text(), "export {}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_directory_itself_may_be_a_link_that_is_switched() {
    let world = World::new();
    let current = world.root.path().join("current");
    let app = app();
    let spa = Spa::new(&SpaFiles::Dir(current.clone()), &app, Arc::new(OsRandom));
    assert_eq!(code(ask(&spa, Method::GET, "/app.js", &[]).await), "internal");
    std::os::unix::fs::symlink(world.root.path().join("dist"), &current).unwrap();
    assert_eq!(
        ask(&spa, Method::GET, "/app.js", &[]).await.unwrap().text(),
        "export {}"
    );
}

#[tokio::test]
async fn files_are_revalidated_unless_their_name_says_what_is_in_them() {
    let world = World::new();
    let plain = world.get("/app.js").await.unwrap();
    assert_eq!(plain.header("cache-control"), "no-cache");
    assert_eq!(plain.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(plain.header("x-content-type-options"), "nosniff");
    let hashed = world.get("/assets/index-BcD3f9aX.js").await.unwrap();
    assert_eq!(
        hashed.header("cache-control"),
        "public, max-age=31536000, immutable"
    );

    for (name, value) in [
        (header::IF_NONE_MATCH, plain.header("etag")),
        (header::IF_MODIFIED_SINCE, plain.header("last-modified")),
    ] {
        assert!(!value.is_empty(), "{name}");
        let again = world.ask(Method::GET, "/app.js", &[(name, value)]).await.unwrap();
        assert_eq!(again.status, StatusCode::NOT_MODIFIED);
        assert!(again.body.is_empty());
        assert_eq!(again.header("cache-control"), "no-cache");
    }
    let head = world.ask(Method::HEAD, "/app.js", &[]).await.unwrap();
    assert_eq!((head.body.len(), head.header("content-length")), (0, "9"));
}

#[tokio::test]
async fn a_part_of_a_file_may_be_asked_for() {
    let world = World::new();
    let part = world
        .ask(Method::GET, "/data.bin", &[(header::RANGE, "bytes=2-4")])
        .await
        .unwrap();
    assert_eq!((part.status, part.text()), (StatusCode::PARTIAL_CONTENT, "234"));
    let beyond = world
        .ask(Method::GET, "/data.bin", &[(header::RANGE, "bytes=20-")])
        .await
        .unwrap();
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
}

#[tokio::test]
async fn a_picture_opened_as_a_document_runs_nothing() {
    let world = World::new();
    for path in ["/pic.svg", "/feed.xml", "/page.xhtml", "/old.shtml"] {
        let answer = world.get(path).await.unwrap();
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("sandbox"),
            "{path}: {policy}"
        );
    }
    assert_eq!(
        world
            .get("/app.js")
            .await
            .unwrap()
            .header("content-security-policy"),
        ""
    );
}

fn demo() -> Spa {
    Spa::new(&SpaFiles::Bundled, &app(), Arc::new(OsRandom))
}

#[tokio::test]
async fn the_demo_is_compiled_in_whole() {
    let mut bundled: Vec<_> = bundled::FILES
        .iter()
        .map(|(path, _)| (*path).to_owned())
        .collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("spa-demo");
    let mut there = Vec::new();
    let mut folders = vec![folder.clone()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                there.push(
                    path.strip_prefix(&folder)
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .replace('\\', "/"),
                );
            }
        }
    }
    // What only an editor reads.
    there.retain(|path| path != "jsconfig.json" && !path.ends_with(".d.ts"));
    bundled.sort();
    there.sort();
    assert_eq!(bundled, there, "spa-demo/ and the table in spa/bundled.rs differ");

    let spa = demo();
    for path in there {
        let answer = ask(&spa, Method::GET, &format!("/{path}"), &[]).await.unwrap();
        assert_eq!(answer.status, StatusCode::OK);
        assert_ne!(
            answer.header("content-type"),
            "application/octet-stream",
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_demo_is_served_like_any_other_app() {
    let spa = demo();
    let page = ask(&spa, Method::GET, "/who", &[(header::ACCEPT, HTML)])
        .await
        .unwrap();
    assert!(
        page.header("content-security-policy")
            .ends_with("; require-trusted-types-for 'script'")
    );
    assert_eq!(
        code(ask(&spa, Method::GET, "/nothing.js", &[]).await),
        "route_not_found"
    );
    assert_eq!(
        code(ask(&spa, Method::GET, "/jsconfig.json", &[]).await),
        "route_not_found"
    );

    let script = ask(&spa, Method::GET, "/js/app.js", &[]).await.unwrap();
    assert_eq!(script.header("cache-control"), "no-cache");
    assert_eq!(script.header("content-type"), "text/javascript; charset=utf-8");
    let etag = script.header("etag");
    for (known, status) in [
        (etag.to_owned(), StatusCode::NOT_MODIFIED),
        (format!("\"x\", W/{etag}"), StatusCode::NOT_MODIFIED),
        ("\"x\"".to_owned(), StatusCode::OK),
    ] {
        let again = ask(
            &spa,
            Method::GET,
            "/js/app.js",
            &[(header::IF_NONE_MATCH, &known)],
        )
        .await
        .unwrap();
        assert_eq!(again.status, status, "{known}");
    }
    let head = ask(&spa, Method::HEAD, "/js/app.js", &[]).await.unwrap();
    assert_eq!(
        (head.body.len(), head.header("content-length")),
        (0, &*script.body.len().to_string())
    );
}
