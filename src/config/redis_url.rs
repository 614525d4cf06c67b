//! `store.url`: where Redis is. In the forms that tools for Redis know:
//!
//! | URL | what |
//! | --- | --- |
//! | `redis://[user:password@]host[:6379][/db]` | one server |
//! | `redis+cluster://[user:password@]h1:6379,h2:6379` | a Cluster; some of its nodes are enough |
//! | `redis+sentinel://[user:password@]h1:26379,h2:26379/master[/db]` | whoever the Sentinels say is `master` |
//!
//! `rediss` in the place of `redis` is TLS, verified against the system's roots, everywhere; `valkey` and `valkeys` are the same.

use std::fmt;

use percent_encoding::percent_decode_str;
use url::{Host, Url};
use zeroize::Zeroizing;

use super::is_loopback_host;

/// A checked `store.url`. `Debug` and [`Self::shown`] leave the credentials out.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl {
    form: RedisForm,
    tls: bool,
    nodes: Vec<(Box<str>, u16)>,
    username: Option<Box<str>>,
    password: Option<Zeroizing<String>>,
    database: i64,
}

/// What stands at the addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedisForm {
    /// One server.
    One,
    /// Nodes of a Cluster.
    Cluster,
    /// Sentinels.
    Sentinel {
        /// The name of the master that they watch.
        master: Box<str>,
    },
}

impl RedisUrl {
    /// What stands at the addresses.
    pub const fn form(&self) -> &RedisForm {
        &self.form
    }

    /// Whether it is TLS.
    pub const fn tls(&self) -> bool {
        self.tls
    }

    /// Host and port of each; at least one.
    pub fn nodes(&self) -> &[(Box<str>, u16)] {
        &self.nodes
    }

    /// The user, where one is named.
    pub fn username(&self) -> Option<&str> {
        self.username.as_deref()
    }

    /// The password, where there is one.
    pub(crate) fn password(&self) -> Option<&str> {
        self.password.as_deref().map(String::as_str)
    }

    /// The number of the database.
    pub const fn database(&self) -> i64 {
        self.database
    }

    /// The URL without what belongs to nobody's eyes.
    pub fn shown(&self) -> String {
        let (scheme, path) = match &self.form {
            RedisForm::One => ("", String::new()),
            RedisForm::Cluster => ("+cluster", String::new()),
            RedisForm::Sentinel { master } => ("+sentinel", format!("/{master}")),
        };
        let s = if self.tls { "s" } else { "" };
        let credentials = if self.username.is_some() || self.password.is_some() {
            "***@"
        } else {
            ""
        };
        let nodes: Vec<String> = self
            .nodes
            .iter()
            .map(|(host, port)| {
                if host.contains(':') {
                    format!("[{host}]:{port}")
                } else {
                    format!("{host}:{port}")
                }
            })
            .collect();
        let database = match self.database {
            0 => String::new(),
            number => format!("/{number}"),
        };
        format!(
            "redis{s}{scheme}://{credentials}{}{path}{database}",
            nodes.join(",")
        )
    }

    /// The first host that is not this machine, where there is one.
    pub(super) fn elsewhere(&self) -> Option<&str> {
        let away = self.nodes.iter().find(|(host, _)| !is_loopback_host(host));
        away.map(|(host, _)| &**host)
    }

    /// Reads the URL; else what is wrong with it, without repeating any of it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = text.split_once("://").ok_or("it is no URL")?;
        let (kind, tls, default_port) = match scheme {
            "redis" | "valkey" => (Kind::One, false, 6379),
            "rediss" | "valkeys" => (Kind::One, true, 6379),
            "redis+cluster" | "valkey+cluster" => (Kind::Cluster, false, 6379),
            "rediss+cluster" | "valkeys+cluster" => (Kind::Cluster, true, 6379),
            "redis+sentinel" | "valkey+sentinel" => (Kind::Sentinel, false, 26379),
            "rediss+sentinel" | "valkeys+sentinel" => (Kind::Sentinel, true, 26379),
            _ => return Err("its scheme is none of `redis`, `rediss`, with `+cluster` or `+sentinel`"),
        };
        if rest.contains(['?', '#']) || rest.contains(char::is_control) || rest.contains(' ') {
            return Err("it has a query, a fragment or blanks; in a password they are percent-encoded");
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (credentials, hosts) = match authority.rsplit_once('@') {
            Some((credentials, hosts)) => (Some(credentials), hosts),
            None => (None, authority),
        };
        let (username, password) = credentials.map_or(Ok((None, None)), user)?;
        let nodes: Vec<_> = hosts
            .split(',')
            .map(|host| node(host, default_port))
            .collect::<Option<_>>()
            .ok_or("an address in it is none")?;
        if matches!(kind, Kind::One) && nodes.len() > 1 {
            return Err("several addresses are for `redis+cluster://` or `redis+sentinel://`");
        }
        let (form, database) = match kind {
            Kind::One => (RedisForm::One, path),
            Kind::Cluster => (RedisForm::Cluster, path),
            Kind::Sentinel => {
                let (master, database) = path.split_once('/').unwrap_or((path, ""));
                let master = decoded(master).filter(|master| !master.is_empty());
                let master =
                    master.ok_or("the name of the master is missing: `/NAME` behind the Sentinels")?;
                (
                    RedisForm::Sentinel {
                        master: master.as_str().into(),
                    },
                    database,
                )
            }
        };
        let database = match database {
            "" => 0,
            number => number
                .parse()
                .ok()
                .filter(|number| (0..=MOST_DATABASES).contains(number))
                .ok_or("the number of the database is none")?,
        };
        if form == RedisForm::Cluster && database != 0 {
            return Err("a Cluster has no other database than 0");
        }
        Ok(Self {
            form,
            tls,
            nodes,
            username,
            password,
            database,
        })
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

#[derive(Clone, Copy)]
enum Kind {
    One,
    Cluster,
    Sentinel,
}

type User = (Option<Box<str>>, Option<Zeroizing<String>>);

fn user(credentials: &str) -> Result<User, &'static str> {
    let (username, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let (Some(username), Some(password)) = (decoded(username), decoded(password)) else {
        return Err("user or password are not percent-encoded UTF-8");
    };
    if password.is_empty() {
        return Err("it names a user and no password: `user:password@`, or `:password@` without a user");
    }
    let username = (!username.is_empty()).then(|| username.as_str().into());
    Ok((username, Some(password)))
}

fn decoded(text: &str) -> Option<Zeroizing<String>> {
    let text = percent_decode_str(text).decode_utf8().ok()?;
    Some(Zeroizing::new(text.into_owned()))
}

/// One address, read as that of a URL.
fn node(text: &str, default_port: u16) -> Option<(Box<str>, u16)> {
    // `http`: so that names and addresses are told apart, and names are in their one form.
    let url = Url::parse(&format!("http://{text}")).ok()?;
    let alone = url.path() == "/" && url.username().is_empty() && !text.ends_with(['/', ':']);
    let host = match url.host()? {
        Host::Domain(name) => name.to_owned(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    };
    // 80 is the one port that `http` leaves out.
    let port = match url.port() {
        Some(port) => port,
        None if text.ends_with(":80") => 80,
        None => default_port,
    };
    (alone && port != 0).then(|| (host.into(), port))
}

/// More than any server is configured for.
const MOST_DATABASES: i64 = 65_535;

#[cfg(test)]
mod tests;
