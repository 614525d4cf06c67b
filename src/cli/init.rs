//! `cloakroom init`: a configuration to start from, with keys that nobody else has.
//!
//! Nothing is overwritten: if one of the files is there, none is written. No secret is printed; both that are made lie in
//! files of mode 0600, in a folder that git is told to leave alone. What is written passes `check` as it is.

use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::Failure;
use super::{keys, report, schema};
use crate::random::OsRandom;

#[derive(Debug, Args)]
pub(super) struct Init {
    /// Where to write; made if it is not there
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
}

impl Init {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let at = |name: &str| beside(&self.dir, name);
        for name in [CONFIG, COOKIE_KEY, CLIENT_SECRET] {
            // A dangling link is something, too.
            if at(name).symlink_metadata().is_ok() {
                return Err(Failure::failed(format!(
                    "`{}` exists already; nothing was written",
                    at(name).display()
                )));
            }
        }
        make_folder(&at("keys"))?;
        let ignore = at(IGNORE);
        if ignore.symlink_metadata().is_err() {
            keys::write_new(&ignore, "*\n", 0o644)?;
        }
        keys::write_new(&at(COOKIE_KEY), &keys::generate(&OsRandom), 0o600)?;
        keys::write_new(&at(CLIENT_SECRET), &keys::generate(&OsRandom), 0o600)?;
        let schema = at(SCHEMA);
        if schema.symlink_metadata().is_err() {
            keys::write_new(&schema, schema::SCHEMA, 0o644)?;
        }
        // Last: whoever finds it finds the rest.
        keys::write_new(&at(CONFIG), STARTER, 0o644)?;
        report::print(&self.next_steps())
    }

    fn next_steps(&self) -> String {
        let at = |name: &str| beside(&self.dir, name).display().to_string();
        let (config, key, secret, schema) = (at(CONFIG), at(COOKIE_KEY), at(CLIENT_SECRET), at(SCHEMA));
        let option = if self.dir == Path::new(".") {
            String::new()
        } else {
            format!(" --config {config}")
        };
        format!(
            "wrote {config}\n\
             wrote {key} (mode 0600): seals the cookies; keep it out of git\n\
             wrote {secret} (mode 0600): random, until you put the provider's in\n\
             wrote {schema}: for editors that read `#:schema`\n\
             \n\
             next:\n  \
             1. in {config}: your issuer, client_id, origin and API\n  \
             2. at the provider, register the redirect URI\n       \
                http://localhost:8080/oauth-agent/callback\n  \
             3. the provider's client secret, in place of the random one:\n       \
                printf %s 'THE SECRET' > {secret}\n     \
                or another reference in {config}: \"env:NAME\", \"systemd:NAME\"\n  \
             4. cloakroom check --online{option}\n  \
             5. cloakroom serve{option}\n"
        )
    }
}

/// `./config.toml` is `config.toml`.
fn beside(dir: &Path, name: &str) -> PathBuf {
    if dir == Path::new(".") {
        PathBuf::from(name)
    } else {
        dir.join(name)
    }
}

/// With what is missing above it.
fn make_folder(path: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(path)
        .map_err(|error| Failure::failed(format!("cannot make the folder `{}`: {error}", path.display())))
}

const CONFIG: &str = "config.toml";
const COOKIE_KEY: &str = "keys/cookie.key";
const CLIENT_SECRET: &str = "keys/client-secret";
const IGNORE: &str = "keys/.gitignore";
const SCHEMA: &str = "config.schema.json";
const STARTER: &str = include_str!("init/starter.toml");
