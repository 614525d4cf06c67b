//! A cookie jar that behaves as browsers do in what matters here: name prefixes, `Secure` on loopback, `HttpOnly`,
//! `SameSite`, `Path`, the 4096-byte limit, deletion by exact name.

use std::collections::BTreeMap;

use cookie::{Cookie, SameSite};

/// Where a request comes from, as far as `SameSite` is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// A script or link of the same site, or the user.
    SameSite,
    /// A top-level navigation with GET from another site.
    CrossSiteNavigation,
}

/// The jar of one browser for one host.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Jar {
    cookies: BTreeMap<String, Cookie<'static>>,
    /// What was refused, and why: a test that sets cookies a browser would drop should hear of it.
    pub refused: Vec<String>,
    /// The user does not allow cookies.
    pub refuses_all: bool,
    /// Every value that was ever set.
    pub ever: Vec<String>,
}

impl Jar {
    /// Takes one `Set-Cookie` field as a browser on a trustworthy (https or loopback) origin would.
    pub fn take(&mut self, field: &str) {
        if self.refuses_all {
            return;
        }
        let cookie = match Cookie::parse(field.to_owned()) {
            Ok(cookie) => cookie,
            Err(error) => return self.refused.push(format!("{field}: {error}")),
        };
        if let Err(why) = acceptable(&cookie) {
            return self.refused.push(format!("{}: {why}", cookie.name()));
        }
        let name = cookie.name().to_owned();
        self.ever.push(cookie.value().to_owned());
        let gone = cookie
            .max_age()
            .is_some_and(|age| age.is_zero() || age.is_negative());
        if gone {
            self.cookies.remove(&name);
        } else {
            self.cookies.insert(name, cookie);
        }
    }

    /// What the browser would send as `Cookie`; `None` when there is nothing to send.
    pub fn header(&self, path: &str, from: From) -> Option<String> {
        let sent: Vec<String> = self
            .cookies
            .values()
            .filter(|cookie| matches(cookie, path, from))
            .map(|cookie| format!("{}={}", cookie.name(), cookie.value()))
            .collect();
        (!sent.is_empty()).then(|| sent.join("; "))
    }

    /// The value of a cookie.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(Cookie::value)
    }

    /// Every name, in order.
    pub fn names(&self) -> Vec<String> {
        self.cookies.keys().cloned().collect()
    }

    /// Puts a cookie in by force, as an attacker with access to the jar would.
    pub fn plant(&mut self, name: &str, value: &str) {
        self.cookies.insert(
            name.to_owned(),
            Cookie::build((name.to_owned(), value.to_owned()))
                .path("/")
                .build(),
        );
    }

    /// Takes a cookie out by force.
    pub fn remove(&mut self, name: &str) {
        self.cookies.remove(name);
    }
}

/// rfc6265bis §5.7 and the layered-cookies prefixes.
fn acceptable(cookie: &Cookie<'_>) -> Result<(), &'static str> {
    let name = cookie.name().to_ascii_lowercase();
    if cookie.name().len() + cookie.value().len() > 4096 {
        return Err("larger than 4096 bytes");
    }
    if cookie.same_site() == Some(SameSite::None) && cookie.secure() != Some(true) {
        return Err("SameSite=None without Secure");
    }
    if name.starts_with("__host-") {
        if cookie.secure() != Some(true) {
            return Err("__Host- without Secure");
        }
        if cookie.path() != Some("/") || cookie.domain().is_some() {
            return Err("__Host- with a domain or another path");
        }
    }
    if name.starts_with("__host-http-") && cookie.http_only() != Some(true) {
        return Err("__Host-Http- without HttpOnly");
    }
    Ok(())
}

fn matches(cookie: &Cookie<'_>, path: &str, from: From) -> bool {
    let under = cookie.path().unwrap_or("/");
    let in_path = under == "/" || path == under || path.starts_with(&format!("{under}/"));
    let same_site = match (cookie.same_site(), from) {
        (_, From::SameSite) | (Some(SameSite::None), _) => true,
        (Some(SameSite::Strict), _) => false,
        // Lax, and the default that browsers treat as Lax.
        (_, From::CrossSiteNavigation) => true,
    };
    in_path && same_site
}
