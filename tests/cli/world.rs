//! A folder with a configuration, and the binary run in it with an environment of its own.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A configuration that listens on a free port.
pub(crate) const CONFIG: &str = r#"[server]
listen = "127.0.0.1:0"
[keys]
cookie = ["file:cookie.key"]
[[app]]
id = "shop"
origin = "http://localhost:8080"
[app.provider]
issuer = "http://localhost:1"
client_id = "shop"
client_secret = "env:CLIENT_SECRET"
[[app.route]]
path = "/api"
upstream = "http://127.0.0.1:1"
"#;

pub(crate) const SECRET: &str = "zq7-client-secret";

pub(crate) struct World {
    folder: TempDir,
}

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl World {
    /// With a cookie key and `config.toml`.
    pub(crate) fn new(config: &str) -> Self {
        let world = Self {
            folder: TempDir::new().unwrap(),
        };
        std::fs::write(world.path().join("config.toml"), config).unwrap();
        assert_eq!(world.run(&["keys", "generate", "--out", "cookie.key"]).code, 0);
        world
    }

    /// With nothing in it.
    #[cfg(unix)]
    pub(crate) fn empty() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The binary in this folder; nothing of the environment of the tests but what it needs to run.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cloakroom"));
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .env("CLIENT_SECRET", SECRET)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        Ended::from(self.command(arguments).output().unwrap())
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ended {
    /// Contract §2: the last line on failure is the reason.
    pub(crate) fn reason(&self) -> &str {
        self.stderr.lines().last().unwrap_or_default()
    }
}
