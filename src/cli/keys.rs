//! `cloakroom keys`: cookie keys, for people who do not want to remember an `openssl` line.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use super::exit::Failure;
use super::{ConfigFile, report};
use crate::random::{OsRandom, Random};

mod rotate;

#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// One new cookie key, to stdout or to a new file
    Generate(Generate),
    /// Tell which step of a rotation comes next, and when; changes nothing
    Rotate(rotate::Rotate),
}

#[derive(Debug, Args)]
pub(super) struct Generate {
    /// Write the key to this new file, readable by its owner only; never overwrites
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Keys {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let Generate { out } = match self {
            Self::Generate(generate) => generate,
            Self::Rotate(rotate) => return rotate.run(),
        };
        let line = generate(&OsRandom);
        match out {
            Some(path) => {
                write_new(path, &line, 0o600)?;
                let shown = path.display();
                let _ = writeln!(
                    std::io::stderr(),
                    "wrote a new cookie key to {shown}; add \"file:{shown}\" to `[keys] cookie`, last: whoever replaces the \
                     keys that are there signs everybody out"
                );
                Ok(())
            }
            None => std::io::stdout()
                .write_all(line.as_bytes())
                .map_err(|error| Failure::failed(format!("cannot write the key: {error}"))),
        }
    }
}

/// 32 random bytes as a line of base64.
pub(super) fn generate(random: &dyn Random) -> Zeroizing<String> {
    let bytes = Zeroizing::new(random.bytes::<32>());
    // Made in one piece: growing would leave copies of the key behind.
    let mut line = Zeroizing::new(String::with_capacity(64));
    STANDARD.encode_string(&bytes[..], &mut line);
    line.push('\n');
    line
}

/// Made with its mode, so that the key is at no moment readable by others; `create_new` follows no symbolic link.
pub(super) fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    let shown = path.display();
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = options.open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Failure::failed(format!("`{shown}` exists already; nothing was written"))
        }
        std::io::ErrorKind::NotFound => {
            Failure::failed(format!("the folder of `{shown}` does not exist; create it first"))
        }
        _ => Failure::failed(format!("cannot create `{shown}`: {error}")),
    })?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(|error| Failure::failed(format!("cannot write `{shown}`: {error}")))
}
