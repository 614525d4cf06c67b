//! Whether the code has come to what the model has: answers, revocations, the store, the jar.

use std::sync::Arc;
use std::time::Instant;

use super::moves::Move;
use super::replay::Replay;
use super::request::Reply;
use super::revoker::Task;
use super::rules::Rules;
use super::shelf::End;
use super::state::{Cookies, Generation};
use super::visitor::Spoken;
use crate::clock::Clock as _;
use crate::renewal::tests::world::Browser;
use crate::session::{self, Opened};
use crate::store::{EndReason, Store as _};

impl Replay<'_> {
    /// Compares what requests came to.
    pub(super) async fn hear(&mut self) {
        for (name, reply) in std::mem::take(&mut self.model.heard) {
            let cookies = match reply {
                Reply::Goes(_) => continue,
                Reply::Admitted { of, renewed } => {
                    let said = self.said_by(name).await;
                    let Spoken::Admitted(access, really) = &said else {
                        panic!("{name} is not admitted but told {said:?}: {:#?}", self.model)
                    };
                    assert_eq!((&**access, *really), (&*format!("at-{of}"), renewed));
                    continue;
                }
                Reply::Says(cookies) => cookies,
                Reply::Left => Some(Cookies::Clear),
            };
            let said = self.said_by(name).await;
            let Spoken::Says(fields) = said else {
                panic!("{name} is told {said:?}: {:#?}", self.model)
            };
            let mut browser = self.browser.clone();
            browser.store(&fields);
            match cookies {
                None => assert!(fields.is_empty(), "{:#?}", self.model),
                Some(Cookies::Set(generation)) => assert_eq!(self.generation(&browser), Some(generation)),
                Some(Cookies::Clear) => assert!(browser.is_empty() && !fields.is_empty()),
            }
            if cookies.is_some() {
                self.answers.push(fields);
            }
        }
    }

    async fn said_by(&mut self, name: u8) -> Spoken {
        let begun = Instant::now();
        loop {
            self.heard
                .extend(std::iter::from_fn(|| self.said.1.try_recv().ok()));
            if let Some(at) = self.heard.iter().position(|said| said.name == name) {
                return self.heard.remove(at).spoken;
            }
            self.patient(begun, ("the answer of", name)).await;
        }
    }

    /// What is left to take back goes to the provider by itself.
    pub(super) async fn revoke(&mut self) {
        let is_at_it = |at: &Task| matches!(at, Task::Revoke(_));
        while let Some(revoker) = self.model.revokers.iter().position(|one| is_at_it(&one.at)) {
            let Task::Revoke(last) = self.model.revokers[revoker].at else {
                unreachable!("it is at it")
            };
            self.model = self.model.after(Move::Revoker(revoker), &Rules::default());
            let begun = Instant::now();
            while self.world.provider.revoked_refresh_tokens().len() <= self.revoked {
                self.patient(begun, ("the revocation of", last)).await;
            }
            let revoked = &self.world.provider.revoked_refresh_tokens()[self.revoked];
            assert_eq!(revoked, &format!("rt-{last}"), "{:#?}", self.model);
            self.revoked += 1;
        }
        let model = &self.model;
        self.actors.retain(|_, actor| actor.is_in(model));
    }

    /// Compares the store and the jar.
    pub(super) async fn compare(&self) {
        let (model, store) = (&self.model, Arc::clone(&self.store.lock().unwrap()));
        let now = self.world.clock.now();
        let named = self.world.sessions.parts.named(&self.session);
        let look = store.look(named, now).await.unwrap();
        let ended = look.ended.map(|reason| match reason {
            EndReason::LoggedOut => End::LoggedOut,
            EndReason::Revoked => End::Revoked,
            EndReason::Expired => End::Expired,
            EndReason::Replaced => unreachable!("nobody signs in again"),
        });
        assert_eq!(ended, model.store.ended, "{model:#?}");
        let newest = look.newest.map(|newest| (newest.generation.0, newest.presented));
        let wanted = model
            .store
            .newest
            .map(|newest| (newest.generation.into(), newest.presented));
        assert_eq!(newest, wanted, "{model:#?}");
        for from in 0..4 {
            let kept = store.renewal(self.session.id, session::Generation(from.into()), now);
            let kept = kept.await.unwrap().is_some();
            assert_eq!(kept, model.store.renewal(from, model.now), "{from}: {model:#?}");
        }
        assert_eq!(self.generation(&self.browser), model.jar, "{model:#?}");
    }

    fn generation(&self, browser: &Browser) -> Option<Generation> {
        match self.processes[0].1.parts.cookies.open(&browser.headers()) {
            Opened::Session(session, _) => Some(Generation::try_from(session.generation.0).unwrap()),
            Opened::Absent => None,
            Opened::Unreadable { .. } | Opened::Shelved(..) => panic!("the cookies do not open"),
        }
    }
}
