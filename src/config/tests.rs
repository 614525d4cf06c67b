//! What a configuration must be, told by configurations that are not.

use std::path::Path;

use tempfile::TempDir;

use super::{Checked, Config, Look, Problems, Variables};

mod accepted;
mod broken;
mod contract;
mod editor;
mod effective;
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
        Config::parse(text, "config.toml", self.path(), &self.variables())
    }

    fn variables(&self) -> Variables {
        self.variables.iter().cloned().collect()
    }

    /// As a command reads it: from a file, warnings and all.
    fn check(&self, text: &str) -> Checked {
        let path = self.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        Config::check(&path, &self.variables())
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

/// Compares with a file of the repository; with `UPDATE_GOLDEN=1` writes it instead.
fn golden(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, text).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    let line = kept
        .lines()
        .zip(text.lines())
        .position(|(kept, made)| kept != made)
        .unwrap_or_else(|| kept.lines().count().min(text.lines().count()));
    assert!(
        kept == text,
        "{path} differs from line {} on:\n  kept: {:?}\n  made: {:?}\nUPDATE_GOLDEN=1 writes it anew; then review the difference",
        line + 1,
        kept.lines().nth(line),
        text.lines().nth(line),
    );
}
