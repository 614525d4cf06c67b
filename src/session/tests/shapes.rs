//! Tokens as providers shape them: synthetic claims, the same in every run. Names and layout of claims follow the providers'
//! documentation; signatures, ids and opaque tokens are what they are there, bytes that nothing compresses.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// The tokens of one login.
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) access: String,
    pub(super) refresh: String,
    pub(super) id: String,
}

pub(super) fn all() -> Vec<Shape> {
    vec![
        keycloak("Keycloak, 10 roles", 10),
        keycloak("Keycloak, 100 roles", 100),
        auth0(),
        entra("Entra ID", 0),
        entra("Entra ID, 200 groups", 200),
        okta(),
        google(),
        curity(),
        cognito(),
        zitadel(),
        authentik(),
    ]
}

fn keycloak(name: &'static str, roles: usize) -> Shape {
    let iss = "https://login.example.com/realms/customers";
    let header = format!(
        r#"{{"alg":"RS256","typ" : "JWT","kid" : "{}"}}"#,
        text("kc kid", 43)
    );
    let realm = list(roles / 2, |n| {
        format!("{}_{}", DOMAINS[n % 10], RIGHTS[n / 10 % 10])
    });
    let client = list(roles - roles / 2, |n| {
        format!("{}-{}", RIGHTS[n / 10 % 10], DOMAINS[n % 10])
    });
    let person = r#""email_verified":true,"name":"Alice Archer","preferred_username":"alice","given_name":"Alice","family_name":"Archer","email":"alice@example.com""#;
    let (sub, sid) = (uuid("kc sub"), uuid("kc sid"));
    let times = r#""exp":1800000300,"iat":1800000000"#;
    let access = format!(
        r#"{{{times},"auth_time":1799999998,"jti":"onrtac:{}","iss":"{iss}","aud":["shop-api","account"],"sub":"{sub}","typ":"Bearer","azp":"shop","sid":"{sid}","acr":"1","allowed-origins":["https://shop.example.com"],"realm_access":{{"roles":["default-roles-customers","offline_access","uma_authorization",{realm}]}},"resource_access":{{"shop-api":{{"roles":[{client}]}},"account":{{"roles":["manage-account","manage-account-links","view-profile"]}}}},"scope":"openid profile email",{person}}}"#,
        uuid("kc jti"),
    );
    let refresh = format!(
        r#"{{"exp":1800001800,"iat":1800000000,"jti":"{}","iss":"{iss}","aud":"{iss}","sub":"{sub}","typ":"Refresh","azp":"shop","sid":"{sid}","scope":"openid roles web-origins acr profile email basic"}}"#,
        uuid("kc rt jti"),
    );
    let id = format!(
        r#"{{{times},"auth_time":1799999998,"jti":"{}","iss":"{iss}","aud":"shop","sub":"{sub}","typ":"ID","azp":"shop","nonce":"{}","sid":"{sid}","at_hash":"{}","acr":"1",{person}}}"#,
        uuid("kc id jti"),
        text("kc nonce", 43),
        text("kc at_hash", 22),
    );
    Shape {
        name,
        access: jws(&header, &access, 256),
        refresh: jws(
            &format!(
                r#"{{"alg":"HS512","typ" : "JWT","kid" : "{}"}}"#,
                uuid("kc hs kid")
            ),
            &refresh,
            64,
        ),
        id: jws(&header, &id, 256),
    }
}

fn auth0() -> Shape {
    let header = format!(r#"{{"alg":"RS256","typ":"JWT","kid":"{}"}}"#, text("a0 kid", 21));
    let iss = "https://example.eu.auth0.com/";
    let permissions = list(20, |n| format!("{}:{}", RIGHTS[n % 10], DOMAINS[n / 4 % 10]));
    let sub = hex("a0 sub", 24);
    Shape {
        name: "Auth0, 20 permissions",
        access: jws(
            &header,
            &format!(
                r#"{{"https://shop.example.com/roles":["buyer","approver"],"iss":"{iss}","sub":"auth0|{sub}","aud":["https://api.shop.example.com","https://example.eu.auth0.com/userinfo"],"iat":1800000000,"exp":1800086400,"scope":"openid profile email offline_access","azp":"{}","permissions":[{permissions}]}}"#,
                text("a0 client", 32),
            ),
            256,
        ),
        refresh: format!("v1.{}", text("a0 rt", 60)),
        id: jws(
            &header,
            &format!(
                r#"{{"https://shop.example.com/roles":["buyer","approver"],"given_name":"Alice","family_name":"Archer","nickname":"alice","name":"Alice Archer","picture":"https://s.gravatar.com/avatar/{}?s=480&r=pg&d=https%3A%2F%2Fcdn.auth0.com%2Favatars%2Faa.png","updated_at":"2027-01-15T08:00:00.000Z","email":"alice@example.com","email_verified":true,"iss":"{iss}","aud":"{}","sub":"auth0|{sub}","iat":1800000000,"exp":1800036000,"sid":"{}","nonce":"{}"}}"#,
                hex("a0 picture", 32),
                text("a0 client", 32),
                text("a0 sid", 32),
                text("a0 nonce", 43),
            ),
            256,
        ),
    }
}

fn entra(name: &'static str, groups: usize) -> Shape {
    let kid = text("entra kid", 27);
    let header = format!(r#"{{"typ":"JWT","alg":"RS256","kid":"{kid}"}}"#);
    let (tenant, client) = (uuid("entra tid"), uuid("entra client"));
    let iss = format!("https://login.microsoftonline.com/{tenant}/v2.0");
    let groups = match groups {
        0 => String::new(),
        _ => format!(
            r#""groups":[{}],"#,
            list(groups, |n| uuid(&format!("entra group {n}")))
        ),
    };
    let (oid, sub, sid) = (uuid("entra oid"), text("entra sub", 43), uuid("entra sid"));
    let times = r#""iat":1800000000,"nbf":1800000000,"exp":1800004500"#;
    Shape {
        name,
        access: jws(
            &header,
            &format!(
                r#"{{"aud":"{}","iss":"{iss}",{times},"aio":"{}","azp":"{client}","azpacr":"1",{groups}"name":"Alice Archer","oid":"{oid}","preferred_username":"alice@example.com","rh":"{}","roles":["Orders.Read","Orders.Write"],"scp":"access_as_user","sid":"{sid}","sub":"{sub}","tid":"{tenant}","uti":"{}","ver":"2.0","xms_ftd":"{}"}}"#,
                uuid("entra api"),
                text("entra aio", 120),
                text("entra rh", 60),
                text("entra uti", 22),
                text("entra ftd", 80),
            ),
            256,
        ),
        refresh: format!("1.{}.{}", text("entra rt a", 57), text("entra rt b", 1100)),
        id: jws(
            &header,
            &format!(
                r#"{{"ver":"2.0","iss":"{iss}","sub":"{sub}","aud":"{client}","exp":1800003600,"iat":1800000000,"nbf":1800000000,{groups}"name":"Alice Archer","preferred_username":"alice@example.com","oid":"{oid}","email":"alice@example.com","tid":"{tenant}","sid":"{sid}","nonce":"{}","rh":"{}","uti":"{}","aio":"{}"}}"#,
                text("entra nonce", 43),
                text("entra rh", 60),
                text("entra uti", 22),
                text("entra id aio", 120),
            ),
            256,
        ),
    }
}

fn okta() -> Shape {
    let header = format!(r#"{{"kid":"{}","alg":"RS256"}}"#, text("okta kid", 43));
    let iss = "https://example.okta.com/oauth2/default";
    let groups = list(30, |n| {
        format!("App - {} - {}", DOMAINS[n % 10], RIGHTS[n / 3 % 10])
    });
    let user = format!("00u{}", text("okta uid", 17));
    let client = format!("0oa{}", text("okta cid", 17));
    Shape {
        name: "Okta, 30 groups",
        access: jws(
            &header,
            &format!(
                r#"{{"ver":1,"jti":"AT.{}.oar{}","iss":"{iss}","aud":"api://default","iat":1800000000,"exp":1800003600,"cid":"{client}","uid":"{user}","scp":["openid","profile","email","offline_access"],"auth_time":1799999998,"sub":"alice@example.com","groups":["Everyone",{groups}]}}"#,
                text("okta jti", 43),
                text("okta oar", 17),
            ),
            256,
        ),
        refresh: text("okta rt", 43),
        id: jws(
            &header,
            &format!(
                r#"{{"sub":"{user}","name":"Alice Archer","email":"alice@example.com","ver":1,"iss":"{iss}","aud":"{client}","iat":1800000000,"exp":1800003600,"jti":"ID.{}","amr":["mfa","otp","pwd"],"idp":"00o{}","nonce":"{}","preferred_username":"alice@example.com","auth_time":1799999998,"at_hash":"{}","groups":["Everyone",{groups}]}}"#,
                text("okta id jti", 43),
                text("okta idp", 17),
                text("okta nonce", 43),
                text("okta at_hash", 22),
            ),
            256,
        ),
    }
}

fn google() -> Shape {
    let client = format!(
        "1234567890-{}.apps.googleusercontent.com",
        hex("google client", 32)
    );
    Shape {
        name: "Google",
        access: format!("ya29.{}", text("google at", 213)),
        refresh: format!("1//0{}", text("google rt", 99)),
        id: jws(
            &format!(
                r#"{{"alg":"RS256","kid":"{}","typ":"JWT"}}"#,
                hex("google kid", 40)
            ),
            &format!(
                r#"{{"iss":"https://accounts.google.com","azp":"{client}","aud":"{client}","sub":"110248495921238986420","hd":"example.com","email":"alice@example.com","email_verified":true,"at_hash":"{}","nonce":"{}","name":"Alice Archer","picture":"https://lh3.googleusercontent.com/a/{}=s96-c","given_name":"Alice","family_name":"Archer","iat":1800000000,"exp":1800003600}}"#,
                text("google at_hash", 22),
                text("google nonce", 43),
                text("google picture", 54),
            ),
            256,
        ),
    }
}

fn curity() -> Shape {
    Shape {
        name: "Curity (opaque access token)",
        access: format!("_0XBPWQQ_{}", uuid("curity at")),
        refresh: format!("_1XBPWQQ_{}", uuid("curity rt")),
        id: jws(
            &format!(
                r#"{{"kid":"{}","x5t":"{}","alg":"RS256"}}"#,
                "-38074812",
                text("curity x5t", 27)
            ),
            &format!(
                r#"{{"exp":1800003600,"nbf":1800000000,"jti":"{}","iss":"https://login.example.com/oauth/v2/oauth-anonymous","aud":"shop","sub":"alice","auth_time":1799999998,"iat":1800000000,"purpose":"id","at_hash":"{}","acr":"urn:se:curity:authentication:html-form:Username-Password","delegation_id":"{}","s_hash":"{}","azp":"shop","amr":"urn:se:curity:authentication:html-form:Username-Password","nonce":"{}","sid":"{}"}}"#,
                uuid("curity jti"),
                text("curity at_hash", 22),
                uuid("curity delegation"),
                text("curity s_hash", 22),
                text("curity nonce", 43),
                text("curity sid", 16),
            ),
            256,
        ),
    }
}

fn cognito() -> Shape {
    let header = format!(r#"{{"kid":"{}=","alg":"RS256"}}"#, text("cognito kid", 43));
    let iss = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI";
    let (sub, origin, event, client) = (
        uuid("cognito sub"),
        uuid("cognito origin"),
        uuid("cognito event"),
        text("cognito client", 26),
    );
    let groups = list(5, |n| format!("{}-{}", DOMAINS[n], RIGHTS[n]));
    Shape {
        name: "Cognito, 5 groups",
        access: jws(
            &header,
            &format!(
                r#"{{"sub":"{sub}","cognito:groups":[{groups}],"iss":"{iss}","version":2,"client_id":"{client}","origin_jti":"{origin}","event_id":"{event}","token_use":"access","scope":"openid profile email","auth_time":1799999998,"exp":1800003600,"iat":1800000000,"jti":"{}","username":"{sub}"}}"#,
                uuid("cognito jti"),
            ),
            256,
        ),
        // A JWE: header, encrypted key, iv, ciphertext, tag.
        refresh: [
            URL_SAFE_NO_PAD.encode(r#"{"cty":"JWT","enc":"A256GCM","alg":"RSA-OAEP"}"#),
            URL_SAFE_NO_PAD.encode(bytes("cognito key", 256)),
            URL_SAFE_NO_PAD.encode(bytes("cognito iv", 12)),
            URL_SAFE_NO_PAD.encode(bytes("cognito text", 960)),
            URL_SAFE_NO_PAD.encode(bytes("cognito tag", 16)),
        ]
        .join("."),
        id: jws(
            &header,
            &format!(
                r#"{{"at_hash":"{}","sub":"{sub}","cognito:groups":[{groups}],"email_verified":true,"iss":"{iss}","cognito:username":"{sub}","origin_jti":"{origin}","aud":"{client}","event_id":"{event}","token_use":"id","nonce":"{}","auth_time":1799999998,"name":"Alice Archer","exp":1800003600,"iat":1800000000,"jti":"{}","email":"alice@example.com"}}"#,
                text("cognito at_hash", 22),
                text("cognito nonce", 43),
                uuid("cognito id jti"),
            ),
            256,
        ),
    }
}

fn zitadel() -> Shape {
    let header = r#"{"alg":"RS256","kid":"281290563478925314","typ":"JWT"}"#;
    let iss = "https://example-a1b2c3.zitadel.cloud";
    let roles = (0..15)
        .map(|n| {
            format!(
                r#""{}_{}":{{"27{}":"example.zitadel.cloud"}}"#,
                DOMAINS[n % 10],
                RIGHTS[n / 2 % 10],
                "1234567890123456"
            )
        })
        .collect::<Vec<_>>()
        .join(",");
    let common = format!(
        r#""iss":"{iss}","sub":"281293726189945603","aud":["281291125813608194@shop","281291064350408450"],"exp":1800043200,"iat":1800000000,"urn:zitadel:iam:org:project:roles":{{{roles}}}"#
    );
    Shape {
        name: "Zitadel, 15 roles",
        access: jws(
            header,
            &format!(
                r#"{{{common},"nbf":1800000000,"jti":"V2_{}"}}"#,
                "281294116092805890-at_281294116092871426"
            ),
            256,
        ),
        refresh: text("zitadel rt", 87),
        id: jws(
            header,
            &format!(
                r#"{{{common},"auth_time":1799999998,"nonce":"{}","amr":["pwd","mfa","otp"],"azp":"281291125813608194@shop","client_id":"281291125813608194@shop","at_hash":"{}","sid":"V1_281294110120247554","email":"alice@example.com","email_verified":true,"name":"Alice Archer","preferred_username":"alice@example.com"}}"#,
                text("zitadel nonce", 43),
                text("zitadel at_hash", 22),
            ),
            256,
        ),
    }
}

fn authentik() -> Shape {
    let header = format!(r#"{{"alg":"ES256","kid":"{}","typ":"JWT"}}"#, hex("ak kid", 32));
    let groups = list(40, |n| format!("{} {}", DOMAINS[n % 10], RIGHTS[n / 4 % 10]));
    let common = format!(
        r#"{{"iss":"https://auth.example.com/application/o/shop/","sub":"{}","aud":"{}","exp":1800000300,"iat":1800000000,"auth_time":1799999998,"acr":"goauthentik.io/providers/oauth2/default","amr":["pwd"],"sid":"{}","#,
        hex("ak sub", 64),
        text("ak client", 40),
        hex("ak sid", 64),
    );
    let person = r#""email":"alice@example.com","email_verified":true,"name":"Alice Archer","given_name":"Alice Archer","preferred_username":"alice","nickname":"alice""#;
    Shape {
        name: "authentik, 40 groups, ES256",
        access: jws(
            &header,
            &format!(
                r#"{common}{person},"groups":[{groups}],"azp":"{}","uid":"{}","scope":"email offline_access openid profile"}}"#,
                text("ak client", 40),
                text("ak uid", 40)
            ),
            64,
        ),
        refresh: text("ak rt", 128),
        id: jws(
            &header,
            &format!(
                r#"{common}"nonce":"{}","at_hash":"{}",{person},"groups":[{groups}]}}"#,
                text("ak nonce", 43),
                text("ak at_hash", 22)
            ),
            64,
        ),
    }
}

/// A compact JWS with a signature of so many bytes.
pub(super) fn jws(header: &str, payload: &str, signature: usize) -> String {
    [header.as_bytes(), payload.as_bytes(), &bytes(payload, signature)]
        .map(|part| URL_SAFE_NO_PAD.encode(part))
        .join(".")
}

/// Bytes that nothing compresses, the same for one label in every run.
pub(super) fn bytes(label: &str, length: usize) -> Vec<u8> {
    (0_u32..)
        .flat_map(|n| Sha256::digest([label.as_bytes(), &n.to_be_bytes()].concat()))
        .take(length)
        .collect()
}

/// base64url text of so many characters.
pub(super) fn text(label: &str, length: usize) -> String {
    let mut text = URL_SAFE_NO_PAD.encode(bytes(label, length));
    text.truncate(length);
    text
}

fn hex(label: &str, length: usize) -> String {
    bytes(label, length)
        .iter()
        .map(|byte| char::from(b"0123456789abcdef"[usize::from(byte & 15)]))
        .collect()
}

fn uuid(label: &str) -> String {
    let hex = hex(label, 32);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

fn list(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count)
        .map(|n| format!("\"{}\"", item(n)))
        .collect::<Vec<_>>()
        .join(",")
}

const DOMAINS: [&str; 10] = [
    "orders",
    "invoices",
    "customers",
    "warehouse",
    "returns",
    "pricing",
    "reports",
    "catalog",
    "suppliers",
    "shipping",
];
const RIGHTS: [&str; 10] = [
    "read", "write", "approve", "cancel", "export", "import", "audit", "assign", "archive", "admin",
];
