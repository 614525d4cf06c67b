//! `[server]`: where to listen, whom to believe, how large a request head may be.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;

use ipnet::IpNet;

use super::Server;
use super::check::Check;
use super::problem::Code;
use super::schema::{Key, Kind};
use super::size;
use super::table::{Field, Table, quoted};

pub(super) const KEYS: &[Key] = &[
    Key::new("listen", Kind::Text),
    Key::new("trusted_proxies", Kind::Texts),
    Key::new("max_header_bytes", Kind::Size),
    Key::later("login_rate"),
    Key::later("tls"),
];

/// Reads `[server]`, which may be absent.
pub(super) fn read(root: &Table<'_>, check: &mut Check<'_>) -> Option<Server> {
    let table = root.table_or_empty("server");
    let listen = table.or("listen", LISTEN, check, read_listen);
    let trusted_proxies = table.each("trusted_proxies", check, trusted_proxy);
    let max_header_bytes = table.or("max_header_bytes", MAX_HEADER_BYTES, check, |field, check| {
        size::read(field, &HEADER_RANGE, check)
    });
    Some(Server {
        listen: listen?,
        trusted_proxies: trusted_proxies?,
        max_header_bytes: usize::try_from(max_header_bytes?).ok()?,
    })
}

pub(super) fn read_listen(field: &Field<'_>, check: &mut Check<'_>) -> Option<SocketAddr> {
    let text = field.text()?;
    if let Ok(listen) = text.parse() {
        return Some(listen);
    }
    let fix = match text.rsplit_once(':') {
        Some(("localhost", port)) => format!("write the address: `\"127.0.0.1:{port}\"`"),
        Some(("" | "*", port)) => format!("write `\"0.0.0.0:{port}\"` for every interface"),
        _ if text.parse::<u16>().is_ok() => format!("write `\"127.0.0.1:{text}\"`"),
        _ if text.parse::<IpAddr>().is_ok() => {
            "add a port: `\"127.0.0.1:8080\"`, `\"[::1]:8080\"`".to_owned()
        }
        _ => "write an address and a port: `\"127.0.0.1:8080\"`, `\"[::]:8080\"`".to_owned(),
    };
    check
        .wrong(
            Code::LISTEN,
            field,
            format!("{} is not an address to listen on", quoted(text)),
        )
        .with_fix(fix);
    None
}

fn trusted_proxy(field: &Field<'_>, check: &mut Check<'_>) -> Option<IpNet> {
    let text = field.text()?;
    let parsed = text
        .parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let Ok(net) = parsed else {
        check
            .wrong(
                Code::TRUSTED_PROXY,
                field,
                format!("{} is not a network", quoted(text)),
            )
            .with_fix("write an address or a CIDR: `\"10.0.0.0/8\"`, `\"192.0.2.7\"`, `\"fd00::/16\"`");
        return None;
    };
    let widest = match net {
        IpNet::V4(_) => 8,
        // An IPv4 network in IPv6 clothes is as wide as the IPv4 network.
        IpNet::V6(net) if net.addr().to_ipv4_mapped().is_some() => 96 + 8,
        IpNet::V6(_) => 16,
    };
    if net.prefix_len() < widest {
        check
            .wrong(
                Code::TRUSTED_PROXY,
                field,
                format!("{} is too wide: at most /{widest}", quoted(text)),
            )
            .with_cause("whoever is inside chooses the client address and the host that are believed")
            .with_fix("name the proxies themselves");
        return None;
    }
    Some(net.trunc())
}

const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
const MAX_HEADER_BYTES: u64 = 32 << 10;

/// Below 1 KiB no browser gets through; above 1 MiB the limit is none. What the cookies need is warned of ([`super::load`]).
const HEADER_RANGE: RangeInclusive<u64> = (1 << 10)..=(1 << 20);
