//! The broken configurations: what each is, its text, and what has to be said about it.

use super::super::{GOOD, SECOND_APP, added, changed};

/// `(what, configuration, [(code, path, what the caret points at)])`
pub(super) type Case = (
    &'static str,
    String,
    &'static [(&'static str, &'static str, &'static str)],
);

pub(super) fn all() -> Vec<Case> {
    [
        syntax(),
        server_and_keys(),
        admin(),
        apps(),
        providers(),
        sessions_and_routes(),
        not_available(),
    ]
    .concat()
}

#[rustfmt::skip] // One case a line.
fn syntax() -> Vec<Case> {
    vec![
        ("a text without quotes", changed("client_id = \"shop\"", "client_id = shop"), &[("CR-C002", "", "shop")]),
        ("a text that does not end", changed("client_id = \"shop\"", "client_id = \"shop"), &[("CR-C002", "", "")]),
        ("typographic quotes", changed("client_id = \"shop\"", "client_id = “shop”"), &[("CR-C002", "", "“shop”")]),
        ("a colon for an equals sign", changed("client_id = \"shop\"", "client_id: \"shop\""), &[("CR-C002", "", "")]),
        ("a key twice", added("[server]", "listen = \"127.0.0.1:1\""), &[("CR-C002", "", "listen")]),
        ("a table twice", format!("{GOOD}[server]\n"), &[("CR-C002", "", "")]),
        ("a header that does not end", changed("[app.session]", "[app.session"), &[("CR-C002", "", "")]),
    ]
}

#[rustfmt::skip] // One case a line.
fn server_and_keys() -> Vec<Case> {
    let redis = |url: &str| format!("[store]\nkind = \"redis\"\nurl = \"{url}\"\n{GOOD}");
    vec![
        ("a listen address by name", changed("127.0.0.1:8080", "localhost:8080"), &[("CR-C010", "server.listen", "\"localhost")]),
        ("a listen address without port", changed("127.0.0.1:8080", "127.0.0.1"), &[("CR-C010", "server.listen", "\"127")]),
        ("a misspelt key", changed("listen =", "lisen ="), &[("CR-C003", "server.lisen", "lisen")]),
        ("an unknown table", format!("[servr]\nx = 1\n{GOOD}"), &[("CR-C003", "servr", "servr")]),
        ("a key in the wrong table", added("[server]", "issuer = \"x\""), &[("CR-C003", "server.issuer", "issuer")]),
        ("an integer for a text", changed("\"127.0.0.1:8080\"", "8080"), &[("CR-C004", "server.listen", "8080")]),
        ("believing everybody", added("[server]", "trusted_proxies = [\"10.0.0.0/8\", \"0.0.0.0/0\"]"), &[("CR-C011", "server.trusted_proxies[1]", "\"0.0.0.0/0\"")]),
        ("believing every IPv6 address", added("[server]", "trusted_proxies = [\"::/0\"]"), &[("CR-C011", "server.trusted_proxies[0]", "\"::/0\"")]),
        ("believing every IPv4 address in IPv6 clothes", added("[server]", "trusted_proxies = [\"::ffff:0.0.0.0/96\"]"), &[("CR-C011", "server.trusted_proxies[0]", "\"::ffff")]),
        ("a network that is none", added("[server]", "trusted_proxies = [\"proxy.local\"]"), &[("CR-C011", "server.trusted_proxies[0]", "\"proxy")]),
        ("one proxy without brackets", added("[server]", "trusted_proxies = \"10.0.0.0/8\""), &[("CR-C004", "server.trusted_proxies", "\"10.")]),
        ("a number among texts", added("[server]", "trusted_proxies = [\"10.0.0.0/8\", 7]"), &[("CR-C004", "server.trusted_proxies[1]", "7]")]),
        ("a size without unit", added("[server]", "max_header_bytes = \"32768\""), &[("CR-C009", "server.max_header_bytes", "\"32768\"")]),
        ("a size out of range", added("[server]", "max_header_bytes = \"1GiB\""), &[("CR-C009", "server.max_header_bytes", "\"1GiB\"")]),
        ("a store that shares nothing and has a file", format!("[store]\nkind = \"none\"\nfile = \"state.redb\"\n{GOOD}"), &[("CR-C042", "store.file", "\"state.redb\"")]),
        ("a store in a folder that does not exist", format!("[store]\nfile = \"no-such-folder/state.redb\"\n{GOOD}"), &[("CR-C035", "store.file", "\"no-such-folder")]),
        ("a store whose file is a folder", format!("[store]\nfile = \"\"\n{GOOD}"), &[("CR-C035", "store.file", "\"\"")]),
        ("a grace without Redis", format!("[store]\ngrace = \"10m\"\n{GOOD}"), &[("CR-C042", "store.grace", "\"10m\"")]),
        ("Redis nowhere", format!("[store]\nkind = \"redis\"\n{GOOD}"), &[("CR-C005", "store.url", "[store]")]),
        ("Redis elsewhere without TLS", redis("redis://redis.example.com"), &[("CR-C045", "store.url", "\"redis://")]),
        ("a Redis that is none", redis("http://127.0.0.1:6379"), &[("CR-C044", "store.url", "\"http:")]),
        ("a Cluster written as one server", redis("redis://127.0.0.1,127.0.0.2"), &[("CR-C044", "store.url", "\"redis://")]),
        ("Redis's password in the file", redis("rediss://:hunter2-of-redis@redis.example.com"), &[("CR-C012", "store.url", "\"rediss")]),
        ("a prefix with a blank", redis("redis://127.0.0.1\"\nprefix = \"two words"), &[("CR-C044", "store.prefix", "\"two words\"")]),
        ("a grace of a week", redis("redis://127.0.0.1\"\ngrace = \"7d"), &[("CR-C008", "store.grace", "\"7d\"")]),
        ("no keys", changed("[keys]\ncookie = [\"file:cookie.key\"]\n", ""), &[("CR-C005", "keys", "")]),
        ("an empty list of keys", changed("\"file:cookie.key\"", ""), &[("CR-C014", "keys.cookie", "[]")]),
        ("one key without brackets", changed("[\"file:cookie.key\"]", "\"file:cookie.key\""), &[("CR-C004", "keys.cookie", "\"file")]),
        ("the same key twice", changed("\"file:cookie.key\"", "\"file:cookie.key\", \"file:cookie.key\""), &[("CR-C016", "keys.cookie[1]", "\"file")]),
        ("the client secret as a key", changed("cookie.key", "client-secret"), &[("CR-C015", "keys.cookie[0]", "\"file")]),
        ("a key in the file", changed("file:cookie.key", "oFzSBdSPbqXQ8VCEGZzNLYVhKSaR9qsfvVhJu2oPrVQ="), &[("CR-C012", "keys.cookie[0]", "\"oFz")]),
        ("a variable that is not set", changed("file:cookie.key", "env:COOKIE_KEY"), &[("CR-C013", "keys.cookie[0]", "\"env")]),
        ("a file that is not there", changed("file:cookie.key", "file:no.key"), &[("CR-C013", "keys.cookie[0]", "\"file")]),
        ("a credential without systemd", changed("file:cookie.key", "systemd:key"), &[("CR-C013", "keys.cookie[0]", "\"systemd")]),
        ("a store that does not exist", format!("[store]\nkind = \"memroy\"\n{GOOD}"), &[("CR-C007", "store.kind", "\"memroy\"")]),
    ]
}

#[rustfmt::skip] // One case a line.
fn admin() -> Vec<Case> {
    let admin = |lines: &str| format!("{GOOD}[admin]\n{lines}\n");
    vec![
        ("an admin listener nowhere", admin(""), &[("CR-C005", "admin.listen", "[admin]")]),
        ("an admin listener by name", admin("listen = \"localhost:9080\""), &[("CR-C010", "admin.listen", "\"localhost")]),
        ("an admin listener for everybody", admin("listen = \"0.0.0.0:9080\""), &[("CR-C024", "admin.listen", "\"0.0")]),
        ("an admin listener off loopback", admin("listen = \"[fd00::1]:9080\""), &[("CR-C024", "admin.listen", "\"[fd00")]),
        ("an admin listener where browsers come", admin("listen = \"127.0.0.1:8080\""), &[("CR-C010", "admin.listen", "\"127")]),
        ("a literal admin token", admin("listen = \"127.0.0.1:9080\"\ntoken = \"zq-literal\""), &[("CR-C012", "admin.token", "\"zq-literal")]),
    ]
}

#[rustfmt::skip] // One case a line.
fn apps() -> Vec<Case> {
    let second = |change: &str, to: &str| {
        assert!(SECOND_APP.contains(change));
        format!("{GOOD}{}", SECOND_APP.replace(change, to))
    };
    vec![
        ("no app", GOOD.split("[[app]]").next().unwrap().to_owned(), &[("CR-C005", "app", "")]),
        ("an app in single brackets", "[keys]\ncookie = [\"file:cookie.key\"]\n[app]\nid = \"shop\"\n".to_owned(), &[("CR-C004", "app", "[app]")]),
        ("an app without id", changed("id = \"shop\"\n", ""), &[("CR-C005", "app[0].id", "[[app]]")]),
        ("an id with a capital", changed("id = \"shop\"", "id = \"Shop\""), &[("CR-C020", "app[0].id", "\"Shop\"")]),
        ("an id too long", changed("id = \"shop\"", "id = \"abcdefghijklmnopq\""), &[("CR-C020", "app[0].id", "\"abc")]),
        ("an id twice", second("\"admin\"\norigin", "\"shop\"\norigin"), &[("CR-C021", "app[1].id", "\"shop\"")]),
        ("an origin with a path", changed("https://shop.example.com", "https://shop.example.com/app"), &[("CR-C023", "app[0].origin", "\"https")]),
        ("an origin with a wildcard", changed("https://shop.example.com", "https://*.example.com"), &[("CR-C023", "app[0].origin", "\"https")]),
        ("an origin with a slash", changed("https://shop.example.com", "https://shop.example.com/"), &[("CR-C023", "app[0].origin", "\"https")]),
        ("an origin with a default port", changed("https://shop.example.com", "https://shop.example.com:443"), &[("CR-C023", "app[0].origin", "\"https")]),
        ("an origin in capitals", changed("https://shop.example.com", "https://Shop.example.com"), &[("CR-C023", "app[0].origin", "\"https")]),
        ("an origin with a dot at its end", changed("https://shop.example.com", "https://shop.example.com."), &[("CR-C023", "app[0].origin", "\"https")]),
        ("an origin without scheme", changed("https://shop.example.com", "shop.example.com"), &[("CR-C023", "app[0].origin", "\"shop")]),
        ("http off loopback", changed("https://shop.example.com", "http://shop.example.com"), &[("CR-C024", "app[0].origin", "\"http")]),
        ("http on a name that only begins like loopback", changed("https://shop.example.com", "http://localhost.example.com"), &[("CR-C024", "app[0].origin", "\"http")]),
        ("any origin", added("id = \"shop\"", "allowed_origins = [\"*\"]"), &[("CR-C023", "app[0].allowed_origins[0]", "\"*\"")]),
        ("a pattern of origins", added("id = \"shop\"", "allowed_origins = [\"https://*.example.com\"]"), &[("CR-C023", "app[0].allowed_origins[0]", "\"https://*")]),
        ("the origin `null`", added("id = \"shop\"", "allowed_origins = [\"null\"]"), &[("CR-C023", "app[0].allowed_origins[0]", "\"null\"")]),
        ("a cross-site origin", added("id = \"shop\"", "allowed_origins = [\"https://www.example.com\", \"https://www.example.org\"]"), &[("CR-C025", "app[0].allowed_origins[1]", "\"https://www.example.org")]),
        ("neighbours on a hoster's name", changed("https://shop.example.com\"", "https://one.pages.dev\"\nallowed_origins = [\"https://two.pages.dev\"]"), &[("CR-C025", "app[0].allowed_origins[0]", "\"https://two")]),
        ("neighbours below co.uk", changed("https://shop.example.com\"", "https://one.co.uk\"\nallowed_origins = [\"https://two.co.uk\"]"), &[("CR-C025", "app[0].allowed_origins[0]", "\"https://two")]),
        ("two names of localhost", changed("https://shop.example.com\"", "http://app.localhost:8080\"\nallowed_origins = [\"http://api.localhost:8080\"]"), &[("CR-C025", "app[0].allowed_origins[0]", "\"http://api")]),
        ("two addresses", changed("https://shop.example.com\"", "http://127.0.0.1:8080\"\nallowed_origins = [\"http://127.0.0.2:8080\"]"), &[("CR-C025", "app[0].allowed_origins[0]", "\"http://127.0.0.2")]),
        ("a spa_origin not listed", added("id = \"shop\"", "allowed_origins = [\"https://www.example.com\"]\nspa_origin = \"https://ww.example.com\""), &[("CR-C026", "app[0].spa_origin", "\"https://ww.")]),
        ("an agent at the root", added("id = \"shop\"", "agent_path = \"/\""), &[("CR-C027", "app[0].agent_path", "\"/\"")]),
        ("an agent path with a slash", added("id = \"shop\"", "agent_path = \"/auth/\""), &[("CR-C027", "app[0].agent_path", "\"/auth/\"")]),
        ("an agent path with dots", added("id = \"shop\"", "agent_path = \"/a/../auth\""), &[("CR-C027", "app[0].agent_path", "\"/a/..")]),
        ("an error path on another host", added("id = \"shop\"", "error_path = \"//evil.example\""), &[("CR-C029", "app[0].error_path", "\"//evil")]),
        ("an error path with a backslash", added("id = \"shop\"", "error_path = '/\\evil.example'"), &[("CR-C029", "app[0].error_path", "'/")]),
        ("an error path that becomes another host", added("id = \"shop\"", "error_path = \"/a/..//evil.example\""), &[("CR-C029", "app[0].error_path", "\"/a")]),
        ("an error path elsewhere", added("id = \"shop\"", "error_path = \"https://evil.example/\""), &[("CR-C029", "app[0].error_path", "\"https")]),
        ("an error path without slash", added("id = \"shop\"", "error_path = \"oops\""), &[("CR-C029", "app[0].error_path", "\"oops")]),
        ("a logout path under the agent", added("id = \"shop\"", "post_logout_path = \"/oauth-agent/logout\""), &[("CR-C029", "app[0].post_logout_path", "\"/oauth")]),
        ("a logout path under a route", added("id = \"shop\"", "post_logout_path = \"/api/bye\""), &[("CR-C029", "app[0].post_logout_path", "\"/api")]),
        ("an SPA that is not built", added("id = \"shop\"", "spa = { dir = \"dist\" }"), &[("CR-C035", "app[0].spa.dir", "\"dist\"")]),
        ("an SPA without folder", added("id = \"shop\"", "spa = {}"), &[("CR-C005", "app[0].spa.dir", "{}")]),
        ("two apps, one agent path", second("https://admin.example.org", "https://shop.example.com"), &[("CR-C028", "app[1].agent_path", "[[app]]"), ("CR-C070", "app[1].origin", "\"https")]),
        ("a route of one app below a route of another", second("https://admin.example.org\"", "https://shop.example.com\"\nagent_path = \"/admin\"\n[[app.route]]\npath = \"/api/x\"\nupstream = \"http://127.0.0.1:1\""), &[("CR-C070", "app[1].origin", "\"https"), ("CR-C028", "app[1].route[0].path", "\"/api/x\"")]),
        ("an agent below another app's route", second("https://admin.example.org\"", "https://shop.example.com\"\nagent_path = \"/api/auth\""), &[("CR-C070", "app[1].origin", "\"https"), ("CR-C028", "app[1].agent_path", "\"/api/auth\"")]),
    ]
}

#[rustfmt::skip] // One case a line.
fn providers() -> Vec<Case> {
    let issuer = |to: &str| changed("https://login.example.com", to);
    let provider = |line: &str| added("[app.provider]", line);
    vec![
        ("no provider", format!("{}[[app.route]]{}", GOOD.split("[app.provider]").next().unwrap(), GOOD.split("[[app.route]]").nth(1).unwrap()), &[("CR-C005", "app[0].provider", "[[app]]")]),
        ("no issuer", changed("issuer = \"https://login.example.com\"\n", ""), &[("CR-C005", "app[0].provider.issuer", "[app.provider]")]),
        ("an issuer over http", issuer("http://login.example.com"), &[("CR-C024", "app[0].provider.issuer", "\"http")]),
        ("an issuer with a query", issuer("https://login.example.com?x"), &[("CR-C030", "app[0].provider.issuer", "\"https")]),
        ("an issuer with a user", issuer("https://zq:zq@login.example.com"), &[("CR-C030", "app[0].provider.issuer", "\"https")]),
        ("the metadata's address as issuer", issuer("https://login.example.com/.well-known/openid-configuration"), &[("CR-C030", "app[0].provider.issuer", "\"https")]),
        ("an issuer with a space", issuer("https://login.example.com "), &[("CR-C030", "app[0].provider.issuer", "\"https")]),
        ("a literal client secret", changed("file:client-secret", "zq-literal"), &[("CR-C012", "app[0].provider.client_secret", "\"zq-literal")]),
        ("a misspelt client secret is said once", changed("client_secret =", "client_secrt ="), &[("CR-C003", "app[0].provider.client_secrt", "client_secrt")]),
        ("an empty client id", changed("client_id = \"shop\"", "client_id = \"\""), &[("CR-C036", "app[0].provider.client_id", "\"\"")]),
        ("scopes without openid", changed("\"openid\", ", ""), &[("CR-C033", "app[0].provider.scopes", "[\"profile\"]")]),
        ("scopes in one text", changed("\"openid\", \"profile\"", "\"openid\", \"profile email\""), &[("CR-C033", "app[0].provider.scopes[1]", "\"profile email\"")]),
        ("an unknown client_auth", provider("client_auth = \"basic\""), &[("CR-C007", "app[0].provider.client_auth", "\"basic\"")]),
        ("ID tokens without signature", provider("id_token_alg = \"none\""), &[("CR-C034", "app[0].provider.id_token_alg", "\"none\"")]),
        ("ID tokens signed with HMAC", provider("id_token_alg = \"HS256\""), &[("CR-C034", "app[0].provider.id_token_alg", "\"HS256\"")]),
        ("a redirect URI elsewhere", provider("redirect_uri = \"https://evil.example/callback\""), &[("CR-C032", "app[0].provider.redirect_uri", "\"https")]),
        ("a redirect URI with a fragment", provider("redirect_uri = \"https://shop.example.com/#callback\""), &[("CR-C032", "app[0].provider.redirect_uri", "\"https")]),
        ("a relative redirect URI", provider("redirect_uri = \"/callback\""), &[("CR-C032", "app[0].provider.redirect_uri", "\"/callback")]),
        ("a redirect URI that the agent does not answer", provider("redirect_uri = \"{origin}{agent_path}/return\""), &[("CR-C032", "app[0].provider.redirect_uri", "\"{origin}")]),
        ("a redirect URI under a route", provider("redirect_uri = \"{origin}/api/callback\""), &[("CR-C032", "app[0].provider.redirect_uri", "\"{origin}")]),
        ("a CA file that is not there", provider("ca_file = \"no.pem\""), &[("CR-C035", "app[0].provider.ca_file", "\"no.pem\"")]),
        ("a CA file without certificate", provider("ca_file = \"cookie.key\""), &[("CR-C035", "app[0].provider.ca_file", "\"cookie.key\"")]),
        ("a resource that is no URI", provider("resource = [\"orders\"]"), &[("CR-C036", "app[0].provider.resource[0]", "\"orders\"")]),
        ("two acr values in one", provider("acr_values = [\"gold silver\"]"), &[("CR-C036", "app[0].provider.acr_values[0]", "\"gold")]),
        ("a max_age without unit", provider("max_age = \"300\""), &[("CR-C008", "app[0].provider.max_age", "\"300\"")]),
        ("a flag in quotes", provider("require_iss = \"true\""), &[("CR-C004", "app[0].provider.require_iss", "\"true\"")]),
    ]
}

#[rustfmt::skip] // One case a line.
fn sessions_and_routes() -> Vec<Case> {
    let session = |line: &str| added("[app.session]", line);
    let route = |line: &str| added("[[app.route]]", line);
    let upstream = |to: &str| changed("http://127.0.0.1:9001", to);
    vec![
        ("an idle timeout in seconds", changed("\"30m\"", "1800"), &[("CR-C004", "app[0].session.idle_timeout", "1800")]),
        ("an idle timeout below a second", changed("\"30m\"", "\"900ms\""), &[("CR-C008", "app[0].session.idle_timeout", "\"900ms\"")]),
        ("a duration of two units", changed("\"30m\"", "\"1h30m\""), &[("CR-C008", "app[0].session.idle_timeout", "\"1h30m\"")]),
        ("a duration beyond every number", changed("\"30m\"", "\"99999999999999999999d\""), &[("CR-C008", "app[0].session.idle_timeout", "\"9999")]),
        ("a budget beyond 64 KiB", session("cookie_budget = \"65KiB\""), &[("CR-C009", "app[0].session.cookie_budget", "\"65KiB\"")]),
        ("a mode that there is not", session("mode = \"redis\""), &[("CR-C007", "app[0].session.mode", "\"redis\"")]),
        ("a budget in KB", session("cookie_budget = \"7KB\""), &[("CR-C009", "app[0].session.cookie_budget", "\"7KB\"")]),
        ("sessions in a store that is none", format!("[store]\nkind = \"none\"\n{}", session("mode = \"store\"")), &[("CR-C043", "store.kind", "\"none\""), ("CR-C046", "app[0].session.mode", "\"store\"")]),
        ("a claim that is never shown", session("claims = [\"sub\", \"nonce\"]"), &[("CR-C036", "app[0].session.claims[1]", "\"nonce\"")]),
        ("a route in single brackets", changed("[[app.route]]", "[app.route]"), &[("CR-C004", "app[0].route", "[app.route]")]),
        ("a route path with a wildcard", changed("\"/api\"", "\"/api/*\""), &[("CR-C027", "app[0].route[0].path", "\"/api/*\"")]),
        ("a route path with an encoded character", changed("\"/api\"", "\"/%61pi\""), &[("CR-C027", "app[0].route[0].path", "\"/%61pi\"")]),
        ("a route path with a semicolon", changed("\"/api\"", "\"/api;v=1\""), &[("CR-C027", "app[0].route[0].path", "\"/api;")]),
        ("a route path with two slashes", changed("\"/api\"", "\"/api//x\""), &[("CR-C027", "app[0].route[0].path", "\"/api//")]),
        ("a route under the agent", changed("\"/api\"", "\"/oauth-agent/api\""), &[("CR-C028", "app[0].route[0].path", "\"/oauth-agent/api\"")]),
        ("a route under the agent in other letters", changed("\"/api\"", "\"/OAuth-Agent/api\""), &[("CR-C028", "app[0].route[0].path", "\"/OAuth")]),
        ("a route twice", format!("{GOOD}[[app.route]]\npath = \"/api\"\nupstream = \"http://127.0.0.1:1\"\n"), &[("CR-C028", "app[0].route[1].path", "\"/api\"")]),
        ("a route without upstream", changed("upstream = \"http://127.0.0.1:9001\"\n", ""), &[("CR-C005", "app[0].route[0].upstream", "[[app.route]]")]),
        ("an upstream that is no URL", upstream("127.0.0.1:9001"), &[("CR-C050", "app[0].route[0].upstream", "\"127")]),
        ("an upstream of another scheme", upstream("ftp://127.0.0.1"), &[("CR-C050", "app[0].route[0].upstream", "\"ftp")]),
        ("an upstream with a password", upstream("http://zq:zq@127.0.0.1"), &[("CR-C050", "app[0].route[0].upstream", "\"http")]),
        ("plain http off loopback", upstream("http://10.0.0.7:9001"), &[("CR-C024", "app[0].route[0].upstream", "\"http")]),
        ("several upstreams", changed("\"http://127.0.0.1:9001\"", "[\"http://127.0.0.1:1\", \"http://127.0.0.1:2\"]"), &[("CR-C006", "app[0].route[0].upstream", "[")]),
        ("a method in small letters", route("methods = [\"GET\", \"post\"]"), &[("CR-C052", "app[0].route[0].methods[1]", "\"post\"")]),
        ("TRACE", route("methods = [\"TRACE\"]"), &[("CR-C052", "app[0].route[0].methods[0]", "\"TRACE\"")]),
        ("CONNECT", route("methods = [\"CONNECT\"]"), &[("CR-C052", "app[0].route[0].methods[0]", "\"CONNECT\"")]),
        ("no method", route("methods = []"), &[("CR-C052", "app[0].route[0].methods", "[]")]),
        ("a public route with a token", route("session = \"none\"\ntoken = \"access\""), &[("CR-C053", "app[0].route[0].token", "\"access\"")]),
        ("no token, and nobody said for whom", route("token = \"none\""), &[("CR-C053", "app[0].route[0].token", "\"none\"")]),
        ("an unknown session", route("session = \"maybe\""), &[("CR-C007", "app[0].route[0].session", "\"maybe\"")]),
        ("dropping the host", route("drop_headers = [\"Host\"]"), &[("CR-C054", "app[0].route[0].drop_headers[0]", "\"Host\"")]),
        ("dropping the length by an alias", route("drop_headers = [\"content_length\"]"), &[("CR-C054", "app[0].route[0].drop_headers[0]", "\"content_length\"")]),
        ("dropping what is no header", route("drop_headers = [\"x internal\"]"), &[("CR-C054", "app[0].route[0].drop_headers[0]", "\"x internal\"")]),
        ("no time at all", route("timeout = \"0s\""), &[("CR-C008", "app[0].route[0].timeout", "\"0s\"")]),
        ("a body limit in MB", route("max_body = \"10MB\""), &[("CR-C009", "app[0].route[0].max_body", "\"10MB\"")]),
    ]
}

/// Contract §1: a key whose work is not built yet is refused, never accepted and ignored.
#[rustfmt::skip] // One case a line.
fn not_available() -> Vec<Case> {
    let server = |line: &str| added("[server]", line);
    let app = |line: &str| added("id = \"shop\"", line);
    let provider = |line: &str| added("[app.provider]", line);
    let route = |line: &str| added("[[app.route]]", line);
    let top = |lines: &str| format!("{lines}\n{GOOD}");
    vec![
        ("server.tls", server("tls = { cert = \"c\", key = \"file:k\" }"), &[("CR-C006", "server.tls", "tls")]),
        ("server.login_rate", server("login_rate = \"50/1s\""), &[("CR-C006", "server.login_rate", "login_rate")]),
        ("admin.tls", top("[admin]\nlisten = \"127.0.0.1:9080\"\ntls = { cert = \"c\", key = \"file:k\" }"), &[("CR-C006", "admin.tls", "tls")]),
        ("log", top("[log]"), &[("CR-C006", "log", "log")]),
        ("audit", top("[audit]"), &[("CR-C006", "audit", "audit")]),
        ("forward_auth", app("forward_auth = { secret = \"env:X\" }"), &[("CR-C006", "app[0].forward_auth", "forward_auth")]),
        ("policy", app("policy = { files = [\"x.cedar\"] }"), &[("CR-C006", "app[0].policy", "policy")]),
        ("provider.preset", provider("preset = \"keycloak\""), &[("CR-C006", "app[0].provider.preset", "preset")]),
        ("provider.profile", provider("profile = \"fapi2\""), &[("CR-C006", "app[0].provider.profile", "profile")]),
        ("provider.par", provider("par = \"always\""), &[("CR-C006", "app[0].provider.par", "par")]),
        ("provider.jar", provider("jar = true"), &[("CR-C006", "app[0].provider.jar", "jar")]),
        ("provider.dpop", provider("dpop = true"), &[("CR-C006", "app[0].provider.dpop", "dpop")]),
        ("provider.response_mode", provider("response_mode = \"form_post\""), &[("CR-C006", "app[0].provider.response_mode", "response_mode")]),
        ("provider.signing_key", provider("signing_key = \"file:k\""), &[("CR-C006", "app[0].provider.signing_key", "signing_key")]),
        ("provider.client_cert", provider("client_cert = \"c\""), &[("CR-C006", "app[0].provider.client_cert", "client_cert")]),
        ("provider.authorization_details", provider("authorization_details = []"), &[("CR-C006", "app[0].provider.authorization_details", "authorization_details")]),
        ("private_key_jwt", provider("client_auth = \"private_key_jwt\""), &[("CR-C006", "app[0].provider.client_auth", "\"private_key_jwt\"")]),
        ("logout_mode params", provider("logout_mode = \"params\""), &[("CR-C006", "app[0].provider.logout_mode", "\"params\"")]),
        ("token exchange", route("token = \"exchange\""), &[("CR-C006", "app[0].route[0].token", "\"exchange\"")]),
        ("token phantom", route("token = \"phantom\""), &[("CR-C006", "app[0].route[0].token", "\"phantom\"")]),
        ("token client_credentials", route("token = \"client_credentials\""), &[("CR-C006", "app[0].route[0].token", "\"client_credentials\"")]),
        ("accept_bearer", route("accept_bearer = true"), &[("CR-C006", "app[0].route[0].accept_bearer", "accept_bearer")]),
        ("websocket", route("websocket = true"), &[("CR-C006", "app[0].route[0].websocket", "websocket")]),
        ("require_scopes", route("require_scopes = [\"orders\"]"), &[("CR-C006", "app[0].route[0].require_scopes", "require_scopes")]),
        ("require_acr", route("require_acr = [\"gold\"]"), &[("CR-C006", "app[0].route[0].require_acr", "require_acr")]),
        ("require_max_age", route("require_max_age = \"5m\""), &[("CR-C006", "app[0].route[0].require_max_age", "require_max_age")]),
        ("audience of a route", route("audience = \"orders\""), &[("CR-C006", "app[0].route[0].audience", "audience")]),
        ("jwt", route("jwt = { audience = \"orders\" }"), &[("CR-C006", "app[0].route[0].jwt", "jwt")]),
        ("claims of a route", route("claims = [{ claim = \"x\", equals = true }]"), &[("CR-C006", "app[0].route[0].claims", "claims")]),
        ("rate_limit", route("rate_limit = { by = \"session\", rate = \"1/1s\" }"), &[("CR-C006", "app[0].route[0].rate_limit", "rate_limit")]),
        ("request_schema", route("request_schema = \"openapi.yaml\""), &[("CR-C006", "app[0].route[0].request_schema", "request_schema")]),
        ("upstream_by_claim", route("upstream_by_claim = { claim = \"region\" }"), &[("CR-C006", "app[0].route[0].upstream_by_claim", "upstream_by_claim")]),
    ]
}
