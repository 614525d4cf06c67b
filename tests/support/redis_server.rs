//! A real Redis (or Valkey) of a test's own: on a free port of loopback, in a folder of its own, ended with the test.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

/// A running server. Dropped, it is gone.
#[derive(Debug)]
pub struct RedisServer {
    program: PathBuf,
    pub port: u16,
    folder: tempfile::TempDir,
    child: Mutex<Option<Child>>,
    mode: Mode,
}

#[derive(Debug, Clone, Copy)]
enum Mode {
    /// A restart loses everything.
    Forgetful,
    /// A restart finds everything again.
    Persistent,
    /// A Cluster of one node.
    Cluster,
    /// A Sentinel that watches the server at this port.
    Sentinel(u16),
}

impl RedisServer {
    /// A server that keeps everything in memory, so that its restart loses it; `None`, with a word, where none is installed.
    pub fn start() -> Option<Self> {
        Self::of(Mode::Forgetful)
    }

    /// A server that finds everything again when it is started again.
    pub fn persistent() -> Option<Self> {
        Self::of(Mode::Persistent)
    }

    /// A Cluster of one node, which has all slots.
    pub fn cluster() -> Option<Self> {
        let server = Self::of(Mode::Cluster)?;
        server.ask("CLUSTER ADDSLOTSRANGE 0 16383");
        while !server.ask("CLUSTER INFO").contains("cluster_state:ok") {
            std::thread::yield_now();
        }
        Some(server)
    }

    /// A Sentinel that watches this server under the name `mymaster`.
    pub fn sentinel(&self) -> Option<Self> {
        Self::of(Mode::Sentinel(self.port))
    }

    fn of(mode: Mode) -> Option<Self> {
        let Some(program) = installed() else {
            assert!(
                std::env::var_os("CLOAKROOM_NEED_REDIS").is_none(),
                "CLOAKROOM_NEED_REDIS is set, and there is no redis-server"
            );
            eprintln!("skipped: no redis-server here");
            return None;
        };
        let server = Self {
            program,
            port: TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
                .port(),
            folder: tempfile::tempdir().unwrap(),
            child: Mutex::new(None),
            mode,
        };
        server.run();
        Some(server)
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts it, on the same port; returns when it takes connections.
    pub fn run(&self) {
        let config = self.folder.path().join("redis.conf");
        let more = match self.mode {
            Mode::Forgetful => "appendonly no".to_owned(),
            Mode::Persistent => "appendonly yes\nappendfsync always".to_owned(),
            Mode::Cluster => "cluster-enabled yes".to_owned(),
            Mode::Sentinel(master) => format!("sentinel monitor mymaster 127.0.0.1 {master} 1"),
        };
        let sentinel = matches!(self.mode, Mode::Sentinel(_));
        let save = if sentinel { "" } else { "save \"\"\n" };
        let (port, folder) = (self.port, self.folder.path().display());
        std::fs::write(
            &config,
            format!("port {port}\nbind 127.0.0.1\ndir {folder}\n{save}{more}\n"),
        )
        .unwrap();
        let mut child = Command::new(&self.program)
            .arg(&config)
            .args(sentinel.then_some("--sentinel"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let sign = if sentinel {
            "+monitor"
        } else {
            "eady to accept connections"
        };
        let ready = lines.by_ref().any(|line| line.unwrap().contains(sign));
        assert!(ready, "the server did not start");
        // What it says from now on goes nowhere, and does not hold it up.
        std::thread::spawn(move || lines.for_each(drop));
        *self.child.lock().unwrap() = Some(child);
    }

    /// Ends it as a crash would.
    pub fn kill(&self) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// It stands still: takes connections, answers nothing.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    /// It goes on.
    pub fn resume(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let id = self.child.lock().unwrap().as_ref().unwrap().id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", name, &id])
                .status()
                .unwrap()
                .success()
        );
    }

    /// One command without blanks in its words; what comes back.
    pub fn ask(&self, command: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(stream, "{command}\r\nQUIT\r\n").unwrap();
        let mut answer = Vec::new();
        stream.take(1 << 24).read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Everything that it holds, as it is written down.
    pub fn dump(&self) -> Vec<u8> {
        self.ask("SAVE");
        std::fs::read(self.folder.path().join("dump.rdb")).unwrap()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn installed() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.extend(["/usr/bin".into(), "/usr/local/bin".into()]);
    let names = ["redis-server", "valkey-server"];
    let programs = folders
        .iter()
        .flat_map(|folder| names.map(|name| folder.join(name)));
    programs.into_iter().find(|program| program.is_file())
}
