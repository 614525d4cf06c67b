//! The way to Redis: one server, a Cluster, or whoever Sentinels say is the master. Every call has an end, every answer that is
//! not what was asked for is an error, and no error repeats what the server or the URL says.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo as _,
    Pipeline, RedisConnectionInfo, RedisError, ServerErrorKind, TlsMode, Value,
};
use tokio::time::timeout;

use crate::config::{RedisForm, RedisUrl};
use crate::store::StoreError;

/// A connection; its clones share it.
#[derive(Clone)]
pub(super) enum Link {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Link")
    }
}

/// Why a call came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// No connection, or none that is of use: another has to be made.
    Broken(&'static str),
    /// Somebody emptied the store, or it is another one.
    AnotherStore,
    /// The answer is no answer to this question.
    Answer(&'static str),
}

impl Trouble {
    pub(super) const fn text(&self) -> &'static str {
        match self {
            Self::Broken(text) | Self::Answer(text) => text,
            Self::AnotherStore => "the store was emptied",
        }
    }
}

impl From<Trouble> for StoreError {
    fn from(trouble: Trouble) -> Self {
        Self(Cow::Borrowed(trouble.text()))
    }
}

impl Link {
    /// Two connections: one for commands, one that waits for news and would hold commands up.
    pub(super) async fn pair(url: &RedisUrl) -> Result<(Self, Self), Trouble> {
        timeout(CONNECT, async {
            let commands = Self::connect(url, CALL).await?;
            let news = Self::connect(url, NEWS_WAIT + CALL).await?;
            Ok((commands, news))
        })
        .await
        .unwrap_or(Err(Trouble::Broken("connecting takes too long")))
    }

    async fn connect(url: &RedisUrl, patience: Duration) -> Result<Self, Trouble> {
        let nodes: Vec<ConnectionInfo> = url
            .nodes()
            .iter()
            .map(|(host, port)| node(url, host, *port))
            .collect::<Result<_, _>>()
            .map_err(|error| trouble(&error))?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CALL))
            .set_response_timeout(Some(patience));
        let made = match url.form() {
            RedisForm::One => {
                let first = nodes.into_iter().next().ok_or(Trouble::Broken("no address"))?;
                one(first, &config).await
            }
            RedisForm::Cluster => cluster(nodes, patience).await,
            RedisForm::Sentinel { master } => sentinel(url, nodes, master, &config).await,
        };
        made.map_err(|error| trouble(&error))
    }

    /// Asks one command.
    pub(super) async fn ask(&self, command: &Cmd) -> Result<Value, Trouble> {
        let answer = async {
            match self.clone() {
                Self::One(mut connection) => command.query_async(&mut connection).await,
                Self::Cluster(mut connection) => command.query_async(&mut connection).await,
            }
        };
        Self::bounded(answer).await
    }

    /// Asks several, one round.
    pub(super) async fn ask_all(&self, commands: &Pipeline) -> Result<Vec<Value>, Trouble> {
        let answer = async {
            match self.clone() {
                Self::One(mut connection) => commands.query_async(&mut connection).await,
                Self::Cluster(mut connection) => commands.query_async(&mut connection).await,
            }
        };
        Self::bounded(answer).await
    }

    /// The connection has a bound of its own; this one holds whatever it does.
    async fn bounded<T>(answer: impl Future<Output = Result<T, RedisError>>) -> Result<T, Trouble> {
        match timeout(NEWS_WAIT + CALL + CALL, answer).await {
            Ok(answer) => answer.map_err(|error| trouble(&error)),
            Err(_) => Err(Trouble::Broken("Redis does not answer")),
        }
    }
}

fn node(url: &RedisUrl, host: &str, port: u16) -> Result<ConnectionInfo, RedisError> {
    let host = host.to_owned();
    let address = if url.tls() {
        ConnectionAddr::TcpTls {
            host,
            port,
            insecure: false,
            tls_params: None,
        }
    } else {
        ConnectionAddr::Tcp(host, port)
    };
    let info = address.into_connection_info()?;
    Ok(if matches!(url.form(), RedisForm::Sentinel { .. }) {
        // Sentinels have users of their own, and mostly none.
        info
    } else {
        info.set_redis_settings(credentials(url))
    })
}

fn credentials(url: &RedisUrl) -> RedisConnectionInfo {
    let mut redis = RedisConnectionInfo::default().set_db(url.database());
    if let Some(username) = url.username() {
        redis = redis.set_username(username);
    }
    if let Some(password) = url.password() {
        redis = redis.set_password(password);
    }
    redis
}

async fn one(node: ConnectionInfo, config: &AsyncConnectionConfig) -> Result<Link, RedisError> {
    let client = Client::open(node)?;
    let connection = client
        .get_multiplexed_async_connection_with_config(config)
        .await?;
    Ok(Link::One(connection))
}

async fn cluster(nodes: Vec<ConnectionInfo>, patience: Duration) -> Result<Link, RedisError> {
    let client = ClusterClientBuilder::new(nodes)
        .retries(2)
        .connection_timeout(CALL)
        .response_timeout(patience)
        .build()?;
    Ok(Link::Cluster(client.get_async_connection().await?))
}

async fn sentinel(
    url: &RedisUrl,
    nodes: Vec<ConnectionInfo>,
    master: &str,
    config: &AsyncConnectionConfig,
) -> Result<Link, RedisError> {
    let mut redis = SentinelNodeConnectionInfo::default().set_redis_connection_info(credentials(url));
    if url.tls() {
        redis = redis.set_tls_mode(TlsMode::Secure);
    }
    let mut client = SentinelClient::build(nodes, master, Some(redis), SentinelServerType::Master)?;
    Ok(Link::One(client.get_async_connection_with_config(config).await?))
}

/// In our words: what a server says may name users, keys and addresses.
fn trouble(error: &RedisError) -> Trouble {
    match error.code() {
        Some("CLOAKROOM") => return Trouble::AnotherStore,
        Some("OOM") => return Trouble::Answer("Redis has no room left"),
        Some("NOAUTH" | "WRONGPASS") => return Trouble::Broken("Redis refuses the credentials"),
        Some("MISCONF") => return Trouble::Answer("Redis cannot write to its disk and takes nothing"),
        Some("WRONGTYPE") => return Trouble::Answer("a key holds something of another kind"),
        Some("NOREPLICAS") => return Trouble::Answer("Redis has too few replicas to take anything"),
        _ => {}
    }
    match error.kind() {
        ErrorKind::AuthenticationFailed => Trouble::Broken("Redis refuses the credentials"),
        ErrorKind::Server(ServerErrorKind::NoPerm) => Trouble::Answer("the Redis user may not do this"),
        ErrorKind::Server(ServerErrorKind::ReadOnly) => Trouble::Broken("this Redis is a read-only replica"),
        ErrorKind::Server(ServerErrorKind::BusyLoading) => Trouble::Broken("Redis is loading its data"),
        ErrorKind::Server(ServerErrorKind::MasterDown | ServerErrorKind::ClusterDown) => {
            Trouble::Broken("Redis has no master")
        }
        ErrorKind::Server(_) | ErrorKind::Extension => Trouble::Answer("Redis refuses the command"),
        ErrorKind::UnexpectedReturnType => Trouble::Answer("Redis answers something else"),
        ErrorKind::Parse => Trouble::Broken("what answers is not Redis"),
        ErrorKind::MasterNameNotFoundBySentinel => Trouble::Broken("the Sentinels do not know this master"),
        ErrorKind::InvalidClientConfig => Trouble::Broken("this way to Redis cannot be set up"),
        _ if error.is_timeout() => Trouble::Broken("Redis does not answer in time"),
        _ => Trouble::Broken("no connection to Redis"),
    }
}

/// How long one call may take.
const CALL: Duration = Duration::from_millis(1500);
/// How long both connections may take, a few servers that are down among them.
const CONNECT: Duration = Duration::from_secs(5);
/// How long Redis waits for news before it says that there are none.
pub(super) const NEWS_WAIT: Duration = Duration::from_secs(1);
