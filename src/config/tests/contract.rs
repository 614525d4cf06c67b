//! Contract §7, key by key: built, or refused by name and with its purpose; never unknown.

use std::collections::BTreeSet;

use super::super::later;
use super::super::schema::{Built, Key, Kind, ROOT};
use super::{World, added, changed};

/// Every key that the contract names, as paths.
const CONTRACT: &str = "
server.listen server.trusted_proxies server.max_header_bytes server.login_rate server.tls
admin.listen admin.token admin.insecure_http admin.tls keys.cookie store.kind store.file store.url store.insecure store.prefix store.grace log audit
app.id app.origin app.spa_origin app.agent_path app.allowed_origins app.error_path app.post_logout_path app.spa.dir
app.forward_auth app.policy
app.provider.issuer app.provider.client_id app.provider.client_secret app.provider.client_auth app.provider.scopes
app.provider.redirect_uri app.provider.post_logout_redirect_uri app.provider.preset app.provider.profile
app.provider.ca_file app.provider.par app.provider.jar app.provider.response_mode app.provider.dpop
app.provider.id_token_alg app.provider.signing_key app.provider.signing_alg app.provider.client_cert
app.provider.client_key app.provider.audience app.provider.resource app.provider.authorization_details
app.provider.acr_values app.provider.allowed_acr_values app.provider.max_age app.provider.require_iss
app.provider.userinfo app.provider.default_expires_in app.provider.logout_mode app.provider.logout_hint
app.provider.third_party_login
app.session.idle_timeout app.session.absolute_timeout app.session.refresh app.session.persistent
app.session.cookie_budget app.session.claims app.session.mode
app.route.path app.route.upstream app.route.insecure_http app.route.methods app.route.strip_path app.route.session
app.route.token app.route.csrf app.route.accept_bearer app.route.websocket app.route.drop_cookies
app.route.drop_headers app.route.encoded_slash app.route.timeout app.route.stream_idle_timeout
app.route.connect_timeout app.route.max_body app.route.require_scopes app.route.require_acr
app.route.require_max_age app.route.audience app.route.resource app.route.scopes app.route.jwt app.route.claims
app.route.rate_limit app.route.request_schema app.route.upstream_by_claim
";

/// The paths of all keys, and whether each is built.
fn known(keys: &[Key], path: &str, found: &mut Vec<(String, bool)>) {
    for key in keys {
        let path = super::super::schema::join(path, key.name);
        if let Kind::Table(keys) | Kind::Tables(keys) = key.kind {
            known(keys, &path, found);
        } else {
            found.push((path, matches!(key.built, Built::Now)));
        }
    }
}

fn all() -> Vec<(String, bool)> {
    let mut found = Vec::new();
    known(ROOT, "", &mut found);
    found
}

/// Tables that are built have their keys on the list, those that are not stand there themselves.
#[test]
fn every_key_of_the_contract_is_known() {
    let known: BTreeSet<String> = all().into_iter().map(|(path, _)| path).collect();
    for path in CONTRACT.split_whitespace() {
        let below = format!("{path}.");
        assert!(
            known.contains(path) || known.iter().any(|known| known.starts_with(&below)),
            "{path} would be called unknown"
        );
    }
}

/// Whoever writes a key too early is told what it is for.
#[test]
fn what_comes_later_says_what_it_is_for() {
    let later: BTreeSet<String> = all()
        .into_iter()
        .filter(|(_, built)| !built)
        .map(|(path, _)| path)
        .collect();
    let told: BTreeSet<String> = later::PURPOSES
        .iter()
        .map(|(path, _)| (*path).to_owned())
        .collect();
    assert_eq!(
        told, later,
        "src/config/later.rs (left) and the keys that are not built (right) differ"
    );
    assert_eq!(
        later::purpose("app[0].route[12].jwt"),
        later::purpose("app.route.jwt")
    );
    let problems = World::new()
        .parse(&added("[app.provider]", "dpop = true"))
        .unwrap_err();
    let problem = problems.iter().next().unwrap();
    assert_eq!(problem.message(), "not available in this version");
    assert!(problem.cause().unwrap().contains("RFC 9449"), "{problems}");
}

/// The same for values: each word of the contract is taken, or refused as one of a later version.
#[test]
fn every_value_of_the_contract_is_known() {
    let world = World::new();
    let provider = |key: &str, words: &str| {
        words
            .split(' ')
            .map(|word| added("[app.provider]", &format!("{key} = \"{word}\"")))
            .collect::<Vec<_>>()
    };
    let route = |key: &str, words: &str| {
        words
            .split(' ')
            .map(|word| {
                let session = if key == "session" {
                    ""
                } else {
                    "\nsession = \"required\""
                };
                added("[[app.route]]", &format!("{key} = \"{word}\"{session}"))
            })
            .collect::<Vec<_>>()
    };
    let store = |words: &str| {
        words
            .split(' ')
            .map(|word| {
                let url = if word == "redis" {
                    "url = \"redis://127.0.0.1\"\n"
                } else {
                    ""
                };
                format!("[store]\nkind = \"{word}\"\n{url}{}", super::GOOD)
            })
            .collect::<Vec<_>>()
    };
    let session = |key: &str, words: &str| {
        words
            .split(' ')
            .map(|word| changed("[app.session]\n", &format!("[app.session]\n{key} = \"{word}\"\n")))
            .collect::<Vec<_>>()
    };
    let texts = [
        provider(
            "client_auth",
            "client_secret_basic client_secret_post client_secret_jwt private_key_jwt tls_client_auth \
             self_signed_tls_client_auth",
        ),
        provider("profile", "none fapi2 fapi2-message-signing"),
        provider("par", "auto always never"),
        provider("response_mode", "query form_post jwt query.jwt form_post.jwt"),
        provider("userinfo", "on_demand at_login"),
        provider("logout_mode", "oidc params local"),
        provider("logout_hint", "id_token sid client_id"),
        route("session", "required optional none"),
        route("token", "access exchange phantom client_credentials none"),
        route("csrf", "header fetch_metadata"),
        route("encoded_slash", "refuse pass"),
        session("refresh", "inline spa"),
        session("mode", "cookie store"),
        store("memory redis none"),
    ]
    .concat();
    for text in texts {
        for problem in world.problems(&text) {
            assert!(problem.starts_with("CR-C006 "), "{problem}:\n{text}");
        }
    }
}
