//! The demo's configuration checks out, on every port.

use super::*;
use crate::config::{Origin, TokenKind};
use crate::random::OsRandom;

fn taken(number: u16) -> Taken {
    Taken {
        number,
        listeners: Vec::new(),
    }
}

#[test]
fn the_configuration_is_right_on_any_port_and_fits_the_registration() {
    for port in [80, 443, 8080, u16::MAX - 2] {
        let client = client(port, &OsRandom);
        let config = config(
            &taken(port),
            &taken(port + 1),
            &taken(port + 2),
            &client,
            &OsRandom,
        )
        .unwrap();
        assert_eq!(config.server.listen, ([127, 0, 0, 1], port).into());
        assert_eq!(config.apps.len(), 2);
        for app in &config.apps {
            assert!(matches!(app.spa, Some(SpaFiles::Bundled)));
            assert!(Origin::parse(app.origin.as_str()).is_some());
            let registered = |known: &[String], uri: &str| known.iter().any(|known| known == uri);
            assert!(registered(&client.redirect_uris, &app.provider.redirect_uri));
            assert!(registered(
                &client.post_logout_redirect_uris,
                &app.provider.post_logout_redirect_uri
            ));
            assert_eq!(app.provider.id_token_alg, crate::demo::provider::ALGORITHM);
            for route in &app.routes {
                let public = &*route.path == "/api/stage";
                assert_eq!(route.token == TokenKind::None, public, "{}", route.path);
            }
        }
    }
}
