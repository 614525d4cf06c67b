//! Who can sign in at the demo provider. Printed in the banner, known to everybody, worth nothing.

use serde_json::{Value, json};

/// One person of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct User {
    /// What is typed into the form, and the `sub` of the tokens.
    pub(crate) name: &'static str,
    full_name: &'static str,
}

/// Everybody.
pub(crate) const USERS: [User; 2] = [
    User {
        name: "alice",
        full_name: "Alice Ticket",
    },
    User {
        name: "bob",
        full_name: "Bob Hanger",
    },
];

/// The password of everybody.
pub(crate) const PASSWORD: &str = "demo";

impl User {
    /// Who signs in with these words, if anybody.
    pub(crate) fn signing_in(name: &str, password: &str) -> Option<Self> {
        USERS
            .into_iter()
            .find(|user| user.name == name && password == PASSWORD)
    }

    /// Who a token speaks of.
    pub(crate) fn named(name: &str) -> Option<Self> {
        USERS.into_iter().find(|user| user.name == name)
    }

    /// The claims that `scope` allows (OpenID Connect Core §5.4), `sub` always.
    pub(crate) fn claims(self, scope: &str) -> Value {
        let mut claims = json!({ "sub": self.name });
        if let Some(map) = claims.as_object_mut() {
            if scope.split(' ').any(|asked| asked == "profile") {
                map.insert("name".into(), self.full_name.into());
                map.insert("preferred_username".into(), self.name.into());
            }
            if scope.split(' ').any(|asked| asked == "email") {
                map.insert("email".into(), format!("{}@example.test", self.name).into());
                map.insert("email_verified".into(), true.into());
            }
        }
        claims
    }
}
