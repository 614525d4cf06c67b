//! `explain`: what becomes of one request, told as a tree that fits into 80 columns.

use crate::world::{CONFIG, SECRET, World};

fn explain(arguments: &[&str]) -> String {
    let config = format!(
        "{}[[app.route]]\npath = \"/public\"\nupstream = \"http://127.0.0.1:2/base\"\nsession = \"none\"\ntoken = \"none\"\n",
        CONFIG
            .replace(
                "origin = \"http://localhost:8080\"",
                "origin = \"http://localhost:8080\"\nallowed_origins = [\"http://localhost:5173\"]"
            )
            .replace(
                "path = \"/api\"",
                "path = \"/api\"\nmethods = [\"GET\", \"POST\"]"
            )
    );
    let world = World::new(&config);
    let ended = world.run(&[&["explain"], arguments].concat());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(ended.stderr, "");
    assert!(!ended.stdout.contains(SECRET) && !ended.stdout.contains('\u{1b}'));
    for line in ended.stdout.lines() {
        assert!(line.chars().count() <= 80 || !line.contains("  "), "{line}");
    }
    ended.stdout
}

const CALL: [&str; 2] = ["-H", "token-handler-version: 1"];

#[test]
fn a_call_without_the_header_is_told_what_is_missing() {
    assert_eq!(
        explain(&["GET", "/api/orders"]),
        "\
GET /api/orders at localhost:8080
|
|- path      /api/orders is canonical
|- app       `shop` at http://localhost:8080
|            configured hosts: localhost:8080
|            its SPA is served elsewhere (no `spa`)
|- route     `/api` to http://127.0.0.1:1
|- csrf      NO: token-handler-version is missing
`- verdict   would be answered with 403 csrf_rejected
             fix: let script send it: `token-handler-version: 1`; here: -H
             'token-handler-version: 1'
"
    );
}

#[test]
fn a_call_without_a_session_is_told_where_it_would_go_with_one() {
    let [h, version] = CALL;
    assert_eq!(
        explain(&[
            "GET",
            "/api/%6frders?a=1",
            h,
            version,
            "--origin",
            "http://localhost:5173"
        ]),
        "\
GET /api/%6frders?a=1 at localhost:8080
|
|- path      /api/%6frders is read as /api/orders
|- app       `shop` at http://localhost:8080
|            configured hosts: localhost:8080
|            its SPA is served elsewhere (no `spa`)
|- route     `/api` to http://127.0.0.1:1
|- method    GET is allowed
|- csrf      token-handler-version: 1
|            Origin is listed: http://localhost:5173
|            no Sec-Fetch-Site: not a browser, or an old one
|- session   no session cookie came along
|            NO: There is no session. Sign in.
`- verdict   would be answered with 401 session_missing
             fix: sign in, or name a session's cookies with `--cookie-file`;
             with a live session it goes to http://127.0.0.1:1/api/orders?a=1
"
    );
}

#[test]
fn a_public_call_is_told_what_goes_upstream() {
    let told = explain(&[
        "GET",
        "/public/x",
        "-H",
        "Authorization: Bearer mine",
        "-H",
        "Cookie: theme=dark; __Host-Http-shop-at=x",
    ]);
    assert_eq!(
        told,
        "\
GET /public/x at localhost:8080
|
|- path      /public/x is canonical
|- app       `shop` at http://localhost:8080
|            configured hosts: localhost:8080
|            its SPA is served elsewhere (no `spa`)
|- route     `/public` to http://127.0.0.1:2
|- method    GET is allowed
|- csrf      not asked: the route is public
|- session   no cookie is opened: the route is public
|- token     none: `token = \"none\"`
|- removed   authorization
|            cookie __Host-Http-shop-at
|- added     host: 127.0.0.1:2
|            via: a name of this process
|            x-forwarded-for: 127.0.0.1
|            forwarded: for=127.0.0.1;host=\"localhost:8080\";proto=http
|            x-forwarded-host: localhost:8080
|            x-forwarded-proto: http
|            x-request-id: the id of the request
`- verdict   would be forwarded: GET http://127.0.0.1:2/base/public/x
"
    );
}

#[test]
fn the_other_branches_end_where_they_should() {
    let [h, version] = CALL;
    for (arguments, verdict) in [
        (&["GET", "/nothing"] as &[_], "404 route_not_found"),
        (&["GET", "/api/../x"], "400 invalid_request"),
        (&["GET", "/api/%2e%2e/x"], "400 invalid_request"),
        (&["GET", "/api//x"], "400 invalid_request"),
        (&["GET", "/api/x#fragment"], "400 invalid_request"),
        (&["GET", "not a target"], "400 invalid_request"),
        (&["GET", "/API/x"], "404 route_not_found"),
        (&["GET", "/api", "--host", "evil.test"], "404 route_not_found"),
        (&["DELETE", "/api/x"], "405 method_not_allowed"),
        (
            &["GET", "/api/x", h, version, "--origin", "https://evil.test"],
            "403 origin_rejected",
        ),
        (
            &["GET", "/api/x", h, version, "-H", "Sec-Fetch-Site: cross-site"],
            "403 csrf_rejected",
        ),
        (
            &[
                "OPTIONS",
                "/api/x",
                "--origin",
                "https://evil.test",
                "-H",
                "Access-Control-Request-Method: GET",
            ],
            "403 origin_rejected",
        ),
        (
            &[
                "OPTIONS",
                "/api/x",
                "--origin",
                "http://localhost:5173",
                "-H",
                "Access-Control-Request-Method: GET",
            ],
            "204: the origin may ask",
        ),
        (
            &["GET", "/oauth-agent/session", h, version],
            "by the agent, endpoint `session`",
        ),
        (
            &["POST", "/oauth-agent/session", h, version],
            "405 method_not_allowed",
        ),
        (
            &["GET", "/oauth-agent/nothing", h, version],
            "404 route_not_found",
        ),
    ] {
        let told = explain(arguments);
        let (_, last) = told.split_once("`- verdict").unwrap();
        assert!(last.contains(verdict), "{arguments:?}\n{told}");
    }
}

/// Whoever asks by a name that nobody configured is told which names there are.
#[test]
fn an_unknown_host_is_told_which_hosts_there_are() {
    assert_eq!(
        explain(&["GET", "/", "--host", "127.0.0.1:8080"]),
        "\
GET / at 127.0.0.1:8080
|
|- app       configured hosts: localhost:8080
|            NO: no app has the host `127.0.0.1:8080`
`- verdict   would be answered with 404 route_not_found
             fix: ask by the host of a configured `origin`: name it with
             `--host`
"
    );
}

/// Apps on one host are one host; whether a page comes from here is said of each.
#[test]
fn the_app_is_told_with_its_neighbours_and_its_page() {
    let more = |id: &str, origin: &str, spa: &str| {
        format!(
            "[[app]]\nid = \"{id}\"\norigin = \"{origin}\"\nagent_path = \"/{id}\"\n{spa}[app.provider]\n\
             issuer = \"http://localhost:1\"\nclient_id = \"x\"\nclient_secret = \"env:CLIENT_SECRET\"\n"
        )
    };
    let world = World::new(&format!(
        "{CONFIG}{}{}",
        more("help", "http://localhost:8080", ""),
        more(
            "admin",
            "http://admin.localhost:8080",
            "spa = { dir = \"dist\" }\n"
        ),
    ));
    std::fs::create_dir(world.path().join("dist")).unwrap();
    std::fs::write(world.path().join("dist/index.html"), "<!doctype html>").unwrap();
    let told = |host: &str| {
        let ended = world.run(&["explain", "GET", "/", "-H", "Accept: text/html", "--host", host]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        ended.stdout
    };
    let hosts = "|            configured hosts: localhost:8080, admin.localhost:8080\n";
    let elsewhere = told("localhost:8080");
    assert!(elsewhere.contains(hosts), "{elsewhere}");
    assert!(
        elsewhere.contains("|            its SPA is served elsewhere (no `spa`)\n"),
        "{elsewhere}"
    );
    let here = told("admin.localhost:8080");
    assert!(here.contains(hosts), "{here}");
    assert!(
        here.contains("|            its SPA is served from here (`spa`)\n"),
        "{here}"
    );
    assert!(
        here.contains("verdict   would be answered 200 with a file of the SPA"),
        "{here}"
    );
}

#[test]
fn what_is_no_request_is_usage_and_what_is_no_file_a_failure() {
    let world = World::new(CONFIG);
    assert_eq!(world.run(&["explain", "GET"]).code, 2);
    assert_eq!(world.run(&["explain", "GE T", "/"]).code, 2);
    assert_eq!(world.run(&["explain", "GET", "/", "-H", "no colon"]).code, 2);
    let ended = world.run(&["explain", "GET", "/", "--cookie-file", "missing"]);
    assert_eq!(ended.code, 1);
    std::fs::write(world.path().join("empty"), "Host: shop\n").unwrap();
    let ended = world.run(&["explain", "GET", "/", "--cookie-file", "empty"]);
    assert_eq!(ended.code, 1);
    assert!(ended.reason().contains("holds no cookie"), "{}", ended.reason());
    let ended = world.run(&["explain", "GET", "/", "--config", "missing.toml"]);
    assert_eq!(ended.code, 78);
}
