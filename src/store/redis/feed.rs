//! The feed: keeps the connection, reads what holds, follows what is new. One thread of its own, for as long as the store lives.
//!
//! 1. **Connect**: two connections, Redis's time, whose store it is (`identity`).
//! 2. **Another store than before** (it was emptied, or lost what was written last): a new epoch. What this replica still
//!    knows is written back (`again`), and for a moment nobody new may renew a session, so that every replica has come back
//!    before a superseded refresh token could be sent to a provider.
//! 3. **Pay**: what was decided here while Redis was out of reach.
//! 4. **Read** everything that still holds, in pages. The place in the feed is noted before: nothing falls in between.
//! 5. **Follow**. Each entry has a number; where one is missing, everything is read again. Every second without news a word
//!    goes both ways, so that a connection that only looks alive is found out.
//!
//! Any trouble: from the beginning, after a pause that doubles up to a second.

use std::sync::Arc;
use std::time::Duration;

use redis::Value;
use tokio::time::Instant;

use super::identity::{Identity, Secret};
use super::link::{Link, NEWS_WAIT, Trouble};
use super::parse::{bytes, exactly, field, list, number, text};
use super::script::{Call, FOUND};
use super::shared::{Connected, Shared};
use super::{again, event::Event};
use crate::clock::Timestamp;

impl Shared {
    /// Follows the store until the end of the process.
    pub(super) async fn follow(self: Arc<Self>) {
        let mut pause = FIRST_PAUSE;
        let mut found_anew = false;
        loop {
            let before = Instant::now();
            let Err(trouble) = self.live().await;
            // A store that is another one is there: it is found at once, the first time.
            found_anew = trouble == Trouble::AnotherStore && !found_anew;
            if found_anew {
                continue;
            }
            if self.disconnect() {
                tracing::error!(
                    event = "store_unreachable",
                    why = trouble.text(),
                    "Redis is out of reach: known ends hold, API calls go on for `store.grace`"
                );
            } else {
                tracing::debug!(event = "store_still_unreachable", why = trouble.text());
            }
            if before.elapsed() > LONGEST_PAUSE {
                pause = FIRST_PAUSE;
            }
            // Whatever happened while it was connected is no reason to come back at once.
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Connects and follows until something is wrong.
    async fn live(&self) -> Result<std::convert::Infallible, Trouble> {
        let (link, news) = Link::pair(&self.settings.url).await?;
        self.measure(&link).await?;
        let identity = self.find(&link).await?;
        let returning = self.reach.was_live();
        let other = identity.epoch != self.epoch();
        let connected = Arc::new(Connected { link, identity });
        if returning {
            again::settle(self, &connected).await?;
        }
        let mut place = self.place(&news).await?;
        // A failover may have lost what was written last: then there have been fewer entries than were seen.
        let lost = returning && (other || place.number.unwrap_or(0) < self.seen());
        if returning && other {
            tracing::error!(
                event = "store_lost_its_data",
                "Redis was emptied: sessions are renewed at their provider before they are used; known ends are written back"
            );
        }
        again::keep_leases(self, &connected).await?;
        again::pay(self, &connected).await?;
        if lost {
            again::tell(self, &connected).await?;
        }
        self.read_all(&connected).await?;
        self.see(place.number.unwrap_or(0));
        self.begin_epoch(connected.identity.epoch);
        self.connect(Arc::clone(&connected));
        if returning {
            tracing::info!(event = "store_reachable", "Redis can be reached again");
        }
        self.watch(&connected, &news, &mut place).await
    }

    /// The time there.
    async fn measure(&self, link: &Link) -> Result<(), Trouble> {
        let before = Instant::now();
        let local = self.clock.now();
        let [seconds, micros] = exactly(link.ask(&redis::cmd("TIME")).await?)?;
        let (seconds, micros): (u64, u64) = (number(seconds)?, number(micros)?);
        let there = Timestamp::from_millis(seconds.saturating_mul(1000).saturating_add(micros / 1000));
        self.reach.measured(there, local.after(before.elapsed() / 2));
        Ok(())
    }

    /// Which store this is; a new one where there is none for our keys.
    async fn find(&self, link: &Link) -> Result<Identity, Trouble> {
        let (ring, prefix) = (self.ring(), self.keys.prefix());
        let mut call = Call::plain(FOUND).key(self.keys.owner());
        for (field, wrapped) in Secret::new(&*self.random).wrap(&ring, prefix, &self.random) {
            call = call.with(field.as_bytes()).with(&wrapped);
        }
        let [field, wrapped] = exactly(link.ask(&call.command()).await?)?;
        let (field, wrapped) = (text(field)?, bytes(wrapped)?);
        let identity = Identity::open(field, wrapped, &ring, prefix, &self.random)
            .ok_or(Trouble::Answer("what says whose store this is was tampered with"))?;
        self.wrap_for_ring(link, &identity).await?;
        Ok(identity)
    }

    /// Where the feed is now.
    async fn place(&self, news: &Link) -> Result<Place, Trouble> {
        let mut last = redis::cmd("XREVRANGE");
        last.arg(self.keys.feed()).arg("+").arg("-").arg("COUNT").arg(1);
        match list(news.ask(&last).await?)?.pop() {
            None => Ok(Place::default()),
            Some(entry) => {
                let [id, pairs] = exactly(entry)?;
                Ok(Place {
                    id: text(id)?,
                    number: Some(number(field(list(pairs)?, "n")?)?),
                })
            }
        }
    }

    /// Everything that still holds, page by page.
    async fn read_all(&self, connected: &Connected) -> Result<(), Trouble> {
        let mut cursor = "0".to_owned();
        loop {
            let mut scan = redis::cmd("ZSCAN");
            scan.arg(self.keys.held()).arg(&cursor).arg("COUNT").arg(PAGE);
            let [next, page] = exactly(connected.link.ask(&scan).await?)?;
            // Members and what they are sorted by, in turn.
            for member in list(page)?.into_iter().step_by(2) {
                self.take_in(connected, &bytes(member)?).await?;
            }
            cursor = text(next)?;
            if cursor == "0" {
                return Ok(());
            }
            tokio::task::yield_now().await;
        }
    }

    async fn watch(
        &self,
        connected: &Arc<Connected>,
        news: &Link,
        place: &mut Place,
    ) -> Result<std::convert::Infallible, Trouble> {
        let mut measured = Instant::now();
        let mut looked = Instant::now();
        let mut doubt = false;
        loop {
            let mut read = redis::cmd("XREAD");
            let wait = u64::try_from(NEWS_WAIT.as_millis()).unwrap_or(1000);
            read.arg("COUNT").arg(PAGE).arg("BLOCK").arg(wait);
            read.arg("STREAMS").arg(self.keys.feed()).arg(&place.id);
            tokio::select! {
                news = news.ask(&read) => self.take_news(connected, news?, place).await?,
                () = self.doubt.notified() => doubt = true,
            }
            if doubt || looked.elapsed() >= NEWS_WAIT {
                self.look_whose(connected).await?;
                if doubt {
                    // Perhaps the ring is another one.
                    self.wrap_for_ring(&connected.link, &connected.identity).await?;
                }
                again::pay(self, connected).await?;
                looked = Instant::now();
                doubt = false;
            }
            if measured.elapsed() >= MEASURE_EVERY {
                self.measure(&connected.link).await?;
                measured = Instant::now();
            }
        }
    }

    async fn take_news(&self, connected: &Connected, news: Value, place: &mut Place) -> Result<(), Trouble> {
        for stream in list(news)? {
            let [_, entries] = exactly(stream)?;
            for entry in list(entries)? {
                let [id, pairs] = exactly(entry)?;
                let pairs = list(pairs)?;
                let count = number(field(pairs.clone(), "n")?)?;
                if place.misses(count) {
                    return Err(Trouble::Broken("news were missed"));
                }
                self.take_in(connected, &bytes(field(pairs, "e")?)?).await?;
                *place = Place {
                    id: text(id)?,
                    number: Some(count),
                };
                self.see(count);
            }
        }
        Ok(())
    }

    /// What does not open is of others, who use the prefix with other keys.
    async fn take_in(&self, connected: &Connected, sealed: &[u8]) -> Result<(), Trouble> {
        let Some(event) = Event::open(&connected.identity.names, sealed) else {
            return Ok(());
        };
        self.learn(&event, self.now()).await.map_err(|_| {
            // Never evicted (contract §9): what there is no room for makes the mirror one that cannot be trusted.
            tracing::error!(
                event = "store_mirror_full",
                "more ends hold than this process has room for"
            );
            Trouble::Broken("there is no room for the ends that hold")
        })
    }

    /// Whether this is still the store that we know, and the keys are still those that we have.
    async fn look_whose(&self, connected: &Arc<Connected>) -> Result<(), Trouble> {
        let identity = &connected.identity;
        let mut whose = redis::cmd("HGET");
        whose.arg(self.keys.owner()).arg(&identity.field);
        let there = super::parse::maybe_bytes(connected.link.ask(&whose).await?)?;
        if there.as_deref() != Some(&identity.wrapped[..]) {
            self.forget_store(connected);
            return Err(Trouble::AnotherStore);
        }
        Ok(())
    }

    /// What says whose store this is gets the fields that the ring has and it has not.
    async fn wrap_for_ring(&self, link: &Link, identity: &Identity) -> Result<(), Trouble> {
        for (field, wrapped) in identity.wrap(&self.ring(), self.keys.prefix(), &self.random) {
            let mut add = redis::cmd("HSETNX");
            add.arg(self.keys.owner()).arg(field).arg(wrapped);
            link.ask(&add).await?;
        }
        Ok(())
    }
}

/// The last entry of the feed that was taken in.
struct Place {
    id: String,
    number: Option<u64>,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            id: "0-0".to_owned(),
            number: None,
        }
    }
}

impl Place {
    /// Whether something lies between the last entry and the one of this number. The first entry of a feed is the first there
    /// ever was, or everything before it went while nobody looked.
    fn misses(&self, number: u64) -> bool {
        number != self.number.map_or(1, |last| last.saturating_add(1))
    }
}

/// How many entries are read at a time.
const PAGE: usize = 500;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
const MEASURE_EVERY: Duration = Duration::from_secs(30);
