//! What a configuration must be, told by configurations that are not.

use std::path::Path;

use tempfile::TempDir;

use super::{Config, Look, Problems, Variables};

mod accepted;
mod broken;
mod editor;
pub(crate) mod fixture;
mod hidden;
mod key_texts;
mod overridden;
mod secrets;
mod starting_point;
mod units;

/// A configuration that is right; every test changes something about it.
const GOOD: &str = r#"[server]
listen = "127.0.0.1:8080"
[keys]
cookie = ["file:cookie.key"]
[[app]]
id = "shop"
origin = "https://shop.example.com"
[app.provider]
issuer = "https://login.example.com"
client_id = "shop"
client_secret = "file:client-secret"
scopes = ["openid", "profile"]
[app.session]
idle_timeout = "30m"
[[app.route]]
path = "/api"
upstream = "http://127.0.0.1:9001"
"#;

/// Another app for the end of [`GOOD`]; `ORIGIN` and what follows it is replaced.
const SECOND_APP: &str = r#"[[app]]
id = "admin"
origin = "https://admin.example.org"
[app.provider]
issuer = "https://login.example.com"
client_id = "admin"
client_secret = "file:client-secret"
"#;

const SECRET: &str = "zq7-client-secret";

/// A folder with a key and a client secret, and the environment: the world of one configuration.
struct World {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

impl World {
    fn new() -> Self {
        let world = Self {
            folder: TempDir::new().unwrap(),
            variables: Vec::new(),
        };
        world.file("cookie.key", "oFzSBdSPbqXQ8VCEGZzNLYVhKSaR9qsfvVhJu2oPrVQ=\n");
        world.file("client-secret", format!("{SECRET}\n"));
        world
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A file that only its owner may read.
    fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        std::fs::write(&path, content).unwrap();
        mode(&path, 0o600);
    }

    fn parse(&self, text: &str) -> Result<Config, Problems> {
        let variables: Variables = self.variables.iter().cloned().collect();
        Config::parse(text, "config.toml", self.path(), &variables)
    }

    /// What is wrong with `text`: `code path` of each, in order.
    fn problems(&self, text: &str) -> Vec<String> {
        match self.parse(text) {
            Ok(_) => Vec::new(),
            Err(problems) => problems
                .iter()
                .map(|problem| format!("{} {}", problem.code(), problem.path()))
                .collect(),
        }
    }
}

fn mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// [`GOOD`] with one text in place of another, which must be there.
fn changed(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "`{from}` is not in the good configuration");
    GOOD.replacen(from, to, 1)
}

/// [`GOOD`] with lines added to a table: after its header.
fn added(header: &str, lines: &str) -> String {
    changed(&format!("{header}\n"), &format!("{header}\n{lines}\n"))
}

fn rendered(problems: &Problems) -> String {
    [Look::Plain, Look::Lines, Look::Colour]
        .map(|look| problems.render(look))
        .concat()
}
