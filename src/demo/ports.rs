//! Loopback ports: the first free one from a given number upwards, on IPv4 and, where the machine has it, IPv6.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tokio::net::TcpListener;

/// One port, taken.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) number: u16,
    pub(crate) listeners: Vec<TcpListener>,
}

/// Takes the first port from `first` upwards that is free, telling of each busy one. `None` when a hundred are busy.
pub(crate) async fn take(first: u16, mut busy: impl FnMut(u16)) -> Option<Taken> {
    for number in (first..=u16::MAX).take(100) {
        match listen(number).await {
            Ok(taken) => return Some(taken),
            Err(_) => busy(number),
        }
    }
    None
}

/// Both loopback addresses: browsers try `::1` first for `localhost`, and another program there must not answer for us.
async fn listen(number: u16) -> io::Result<Taken> {
    let v4 = TcpListener::bind((IpAddr::from(Ipv4Addr::LOCALHOST), number)).await?;
    let number = v4.local_addr()?.port();
    let mut listeners = vec![v4];
    match TcpListener::bind((IpAddr::from(Ipv6Addr::LOCALHOST), number)).await {
        Ok(v6) => listeners.push(v6),
        Err(error) if error.kind() == ErrorKind::AddrInUse => return Err(error),
        // No IPv6 on this machine: nobody else can listen there either.
        Err(_) => {}
    }
    Ok(Taken { number, listeners })
}
