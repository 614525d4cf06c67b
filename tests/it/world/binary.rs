//! The binary itself, in a folder of its own, between the same provider, upstream and browser.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use tempfile::TempDir;
use tokio::sync::mpsc;

use super::{Browser, COOKIE_KEY, Plan, Provider, TestClock, Upstream, provider};

/// A running `cloakroom serve`; killed when dropped.
pub struct Binary {
    pub provider: Provider,
    pub upstream: Upstream,
    pub folder: TempDir,
    pub origin: String,
    /// Where it listens for operators, if it does.
    pub admin: Option<SocketAddr>,
    port: u16,
    child: Child,
    log: mpsc::UnboundedReceiver<String>,
}

impl Binary {
    /// Serves `plan` on a port of its own. The origin's port is known only then, so it comes by a reload.
    pub async fn serve(plan: &Plan) -> Self {
        let provider = Provider::start().await;
        provider.follow(Arc::new(TestClock::of_the_machine()));
        let upstream = Upstream::start().await;
        let mut binary = Self::start(plan, provider, upstream).await;
        binary.origin = format!("http://app.localhost:{}", binary.port);
        binary.reload(plan).await;
        binary
    }

    /// Another process for the same origin, with the same provider and upstream.
    pub async fn beside(&self, plan: &Plan) -> Self {
        let mut binary = Self::start(plan, self.provider.clone(), self.upstream.clone()).await;
        binary.origin.clone_from(&self.origin);
        binary.reload(plan).await;
        binary
    }

    async fn start(plan: &Plan, provider: Provider, upstream: Upstream) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let first = text(plan, 0, &provider, &upstream).replace("app.localhost:0", "app.localhost:1");
        std::fs::write(folder.path().join("config.toml"), first).unwrap();
        let (child, log) = spawn(&folder);
        let mut binary = Self {
            provider,
            upstream,
            folder,
            origin: String::new(),
            admin: None,
            port: 0,
            child,
            log,
        };
        if plan.top.contains("[admin]") {
            let line = binary.wait_for("\"admin_listening\"").await;
            let address = line.split_once("\"address\":\"").unwrap().1;
            binary.admin = Some(address.split('"').next().unwrap().parse().unwrap());
        }
        binary.port = binary.listening().await.port();
        binary
    }

    /// Writes `plan` and has it loaded; what the log said until then.
    pub async fn reload(&mut self, plan: &Plan) -> Vec<String> {
        let port = self.origin.rsplit(':').next().unwrap().parse().unwrap();
        let text = text(plan, port, &self.provider, &self.upstream);
        self.hang_up(&text);
        let mut said = Vec::new();
        loop {
            let line = self.wait_for("").await;
            let done = line.contains("\"event\":\"reloaded\"");
            said.push(line);
            if done {
                return said;
            }
        }
    }

    /// Writes `text` as it is and tells the process.
    pub fn hang_up(&self, text: &str) {
        std::fs::write(self.folder.path().join("config.toml"), text).unwrap();
        self.signal("HUP");
    }

    async fn listening(&mut self) -> SocketAddr {
        let line = self.wait_for("\"listening\"").await;
        let address = line.split_once("\"address\":\"").unwrap().1;
        address.split('"').next().unwrap().parse().unwrap()
    }

    /// Sends `signal` (`KILL`: nobody hears it), waits for the end, and starts it again from what is on the disk. Where it
    /// listens then: browsers get there by [`Browser::by_way_of`].
    pub async fn restart(&mut self, signal: &str) -> SocketAddr {
        self.signal(signal);
        let _ended = self.child.wait().unwrap();
        (self.child, self.log) = spawn(&self.folder);
        self.listening().await
    }

    /// Starts a second one in the same folder that is expected to end by itself: its exit code and its log.
    pub fn start_another(&self) -> (Option<i32>, String) {
        let ended = command(&self.folder).output().unwrap();
        (
            ended.status.code(),
            String::from_utf8_lossy(&ended.stderr).into_owned(),
        )
    }

    /// Sends the process a signal.
    pub fn signal(&self, name: &str) {
        let told = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(told.success());
    }

    /// KiB of memory of the process.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Where it listens for browsers.
    pub fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// Reads the log until a line holds `words`.
    pub async fn wait_for(&mut self, words: &str) -> String {
        loop {
            let line = self.log.recv().await.expect("the log ended");
            if line.contains(words) {
                return line;
            }
        }
    }

    pub fn browser(&self) -> Browser {
        Browser::new(&self.origin)
    }
}

impl Drop for Binary {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(folder: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloakroom"));
    command
        .arg("serve")
        .current_dir(folder.path())
        .env_clear()
        .env("COOKIE_KEY", COOKIE_KEY)
        .env("OTHER_KEY", OTHER_KEY)
        .env("ADMIN_TOKEN", ADMIN_TOKEN)
        .env("CLIENT_SECRET", provider::CLIENT_SECRET)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

fn spawn(folder: &TempDir) -> (Child, mpsc::UnboundedReceiver<String>) {
    let mut child = command(folder).spawn().unwrap();
    let (write, log) = mpsc::unbounded_channel();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    std::thread::spawn(move || {
        for line in stderr.lines() {
            if write.send(line.unwrap()).is_err() {
                return;
            }
        }
    });
    (child, log)
}

/// The port that it listens on stays 0: a reload cannot change it.
fn text(plan: &Plan, port: u16, provider: &Provider, upstream: &Upstream) -> String {
    let address = ([127, 0, 0, 1], port).into();
    let plan = Plan {
        top: format!("[server]\nlisten = \"127.0.0.1:0\"\n{}", plan.top),
        ..plan.clone()
    };
    super::config(&plan, address, &provider.issuer, &upstream.url)
}

/// In the environment as `ADMIN_TOKEN`.
pub const ADMIN_TOKEN: &str = "admin.token.of.the.tests.0123456789";

/// In the environment as `OTHER_KEY`.
pub const OTHER_KEY: &str = "YW5vdGhlciBrZXkgb2YgdGhlIHRlc3RzISBudW1iIDI=";
