//! What the provider remembers: who is signed in, which requests wait for a login, which codes and refresh tokens are
//! good. All of it bounded: the oldest goes first.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use crate::clock::Timestamp;

/// One authorization request that checked out.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) redirect_uri: String,
    pub(super) scope: String,
    pub(super) state: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) challenge: String,
    pub(super) login_hint: Option<String>,
    pub(super) made: Timestamp,
}

/// Somebody signed in with a browser: one provider session.
#[derive(Debug, Clone)]
pub(super) struct SignedIn {
    pub(super) user: &'static str,
    pub(super) sid: String,
    pub(super) since: Timestamp,
}

/// What one login granted: every token of the family traces back to it.
#[derive(Debug, Clone)]
pub(super) struct Grant {
    pub(super) request: Request,
    pub(super) who: SignedIn,
    pub(super) revoked: bool,
    /// The one refresh token that is good now.
    pub(super) refresh: Option<String>,
}

/// A code or a refresh token, used or not, and the grant it belongs to.
#[derive(Debug, Clone)]
struct Ticket {
    grant: u64,
    made: Timestamp,
    used: bool,
}

/// Everything.
#[derive(Debug, Default)]
pub(super) struct Grants {
    waiting: Bounded<Request>,
    signed_in: Bounded<SignedIn>,
    made: Bounded<Grant>,
    codes: Bounded<Ticket>,
    refreshes: Bounded<Ticket>,
    next: u64,
}

impl Grants {
    /// Keeps a request until somebody signs in for it.
    pub(super) fn wait(&mut self, id: String, request: Request) {
        self.waiting.put(id, request);
    }

    /// The request that waits under `id`, for at most ten minutes. It stays: a wrong password may be typed again.
    pub(super) fn waiting(&self, id: &str, now: Timestamp) -> Option<Request> {
        self.waiting
            .find(id)
            .filter(|request| now.since(request.made) < WAITING)
            .cloned()
    }

    /// The request is answered.
    pub(super) fn answered(&mut self, id: &str) {
        self.waiting.take(id);
    }

    /// Somebody signed in with the browser that holds `cookie`.
    pub(super) fn sign_in(&mut self, cookie: String, who: SignedIn) {
        self.signed_in.put(cookie, who);
    }

    /// Who is signed in with the browser that holds `cookie`.
    pub(super) fn signed_in(&self, cookie: &str) -> Option<SignedIn> {
        self.signed_in.find(cookie).cloned()
    }

    /// Signs the browser out, ends every grant of its provider sessions, and says which sessions those were.
    pub(super) fn sign_out(&mut self, cookie: Option<&str>, sid: Option<&str>) -> BTreeSet<String> {
        let by_cookie = cookie
            .and_then(|cookie| self.signed_in.take(cookie))
            .map(|who| who.sid);
        let ended: BTreeSet<String> = by_cookie.into_iter().chain(sid.map(str::to_owned)).collect();
        self.signed_in.retain(|who| !ended.contains(&who.sid));
        self.made
            .each(|grant| grant.revoked |= ended.contains(&grant.who.sid));
        ended
    }

    /// A new grant, and the code that stands for it.
    pub(super) fn grant(&mut self, code: String, request: Request, who: SignedIn, now: Timestamp) {
        self.next += 1;
        self.made.put(
            self.next.to_string(),
            Grant {
                request,
                who,
                revoked: false,
                refresh: None,
            },
        );
        self.codes.put(
            code,
            Ticket {
                grant: self.next,
                made: now,
                used: false,
            },
        );
    }

    /// Redeems a code: once, within a minute. A second use ends the whole grant (RFC 6749 §4.1.2).
    pub(super) fn redeem_code(&mut self, code: &str, now: Timestamp) -> Option<(u64, Grant)> {
        let ticket = self.codes.find_mut(code)?;
        let (grant, fresh) = (ticket.grant, !ticket.used && now.since(ticket.made) < CODE);
        let replayed = std::mem::replace(&mut ticket.used, true);
        if replayed {
            self.revoke(grant);
        }
        fresh.then(|| self.live(grant)).flatten()
    }

    /// Uses a refresh token: once. A second use ends the whole family (RFC 9700 §4.14.2).
    pub(super) fn use_refresh(&mut self, token: &str) -> Option<(u64, Grant)> {
        let ticket = self.refreshes.find_mut(token)?;
        let grant = ticket.grant;
        if std::mem::replace(&mut ticket.used, true) {
            self.revoke(grant);
            return None;
        }
        self.live(grant)
    }

    /// The next refresh token of a grant.
    pub(super) fn keep_refresh(&mut self, token: String, grant: u64, now: Timestamp) {
        if let Some(live) = self.made.find_mut(&grant.to_string()) {
            live.refresh = Some(token.clone());
        }
        self.refreshes.put(
            token,
            Ticket {
                grant,
                made: now,
                used: false,
            },
        );
    }

    /// The grant that a refresh token belongs to.
    pub(super) fn of_refresh(&self, token: &str) -> Option<u64> {
        self.refreshes.find(token).map(|ticket| ticket.grant)
    }

    /// The grant, unless it was revoked.
    pub(super) fn live(&self, grant: u64) -> Option<(u64, Grant)> {
        self.made
            .find(&grant.to_string())
            .filter(|grant| !grant.revoked)
            .map(|found| (grant, found.clone()))
    }

    /// Ends a grant: none of its tokens is good any more.
    pub(super) fn revoke(&mut self, grant: u64) {
        if let Some(grant) = self.made.find_mut(&grant.to_string()) {
            grant.revoked = true;
        }
    }
}

/// A map that forgets its oldest entry when it is full: a demo left open for a month stays small.
#[derive(Debug)]
struct Bounded<T> {
    entries: HashMap<String, T>,
    order: VecDeque<String>,
}

impl<T> Default for Bounded<T> {
    fn default() -> Self {
        Self {
            entries: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}

impl<T> Bounded<T> {
    fn put(&mut self, key: String, value: T) {
        if self.order.len() >= MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
        self.order.push_back(key.clone());
        self.entries.insert(key, value);
    }

    fn find(&self, key: &str) -> Option<&T> {
        self.entries.get(key)
    }

    fn find_mut(&mut self, key: &str) -> Option<&mut T> {
        self.entries.get_mut(key)
    }

    /// Its place in the order stays behind and goes when it is the oldest.
    fn take(&mut self, key: &str) -> Option<T> {
        self.entries.remove(key)
    }

    fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        self.entries.retain(|_, value| keep(value));
    }

    fn each(&mut self, change: impl FnMut(&mut T)) {
        self.entries.values_mut().for_each(change);
    }
}

const MOST: usize = 10_000;
const WAITING: Duration = Duration::from_secs(600);
const CODE: Duration = Duration::from_secs(60);
