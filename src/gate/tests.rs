//! An app to ask about, for the tests of this and neighbouring modules.

use crate::config::tests::fixture;
use crate::config::{App, LogoutMode, Origin};

/// An app at `https://shop.example.com` whose SPA also lives at `https://www.example.com`.
pub(crate) fn app() -> App {
    let mut app = fixture::app();
    app.allowed_origins = vec![Origin::parse("https://www.example.com").unwrap()];
    // Its provider does not exist.
    app.provider.logout_mode = LogoutMode::Local;
    app
}
