//! The model and the code, step by step: whatever the model does next the code has to want to do next, and the store, the
//! answers and the jar have to come out the same.
//!
//! The code is the real one with the real memory store; each of its store operations and token requests waits until it is
//! its turn. Time stands, so nothing happens by itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::HeaderValue;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::Id;

use super::gate::{Gate, GatedStore};
use super::moves::Move;
use super::operations::{of_flight, of_request, of_revoker};
use super::rules::Rules;
use super::shelf::Claimant;
use super::standing::{At, Standing};
use super::state::{Flight, Generation, Leg, REPLICAS, State};
use super::visitor::{Said, visit};
use crate::renewal::Sessions;
use crate::renewal::flight::Patience;
use crate::renewal::tests::world::{Browser, World, alice, tokens};
use crate::session::Session;
use crate::store::{LEASE, MemoryStore};

/// Both, in the same state.
pub(super) struct Replay<'w> {
    pub(super) model: State,
    pub(super) world: &'w World,
    pub(super) gate: Arc<Gate>,
    /// What the processes share.
    pub(super) store: Arc<Mutex<Arc<MemoryStore>>>,
    pub(super) processes: [(u64, Sessions); REPLICAS],
    pub(super) browser: Browser,
    pub(super) copy: Browser,
    pub(super) session: Session,
    pub(super) answers: Vec<Vec<HeaderValue>>,
    pub(super) actors: HashMap<Id, Actor>,
    pub(super) said: (UnboundedSender<Said>, UnboundedReceiver<Said>),
    pub(super) heard: Vec<Said>,
    /// Requests at the token endpoint, and refresh tokens at the revocation endpoint.
    pub(super) asked: usize,
    pub(super) revoked: usize,
}

/// Whose task it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Actor {
    Request(u8),
    Flight(usize),
    Revoker(u8),
}

impl<'w> Replay<'w> {
    pub(super) async fn new(world: &'w World, model: State) -> Self {
        let random = &*world.sessions.parts.random;
        let store = Arc::new(Mutex::new(Arc::new(MemoryStore::new(random))));
        let gate = Arc::default();
        let processes = [0, 1].map(|life| (life, process(world, &gate, &store, life)));
        let (session, cookies) = processes[0]
            .1
            .begin(tokens(), alice(), None, processes[0].1.now())
            .await
            .unwrap();
        let mut browser = Browser::default();
        browser.store(&cookies);
        world.clock.advance(u64::from(model.now));
        world.provider.hold();
        Self {
            model,
            gate,
            store,
            processes,
            copy: browser.clone(),
            browser,
            session,
            answers: Vec::new(),
            actors: HashMap::new(),
            said: unbounded_channel(),
            heard: Vec::new(),
            asked: world.provider.asked().len(),
            revoked: world.provider.revoked_refresh_tokens().len(),
            world,
        }
    }

    /// Makes one move in both.
    pub(super) async fn go(&mut self, happens: Move) {
        let before = self.model.clone();
        self.model.heard.clear();
        self.model = self.model.after(happens, &Rules::default());
        self.really(happens, &before).await;
        self.forget_the_landed(happens, &before);
        self.settle(&before).await;
        self.world.provider.hold();
        self.hear().await;
        self.revoke().await;
        self.compare().await;
    }

    /// Gives the code leave for what the model did.
    async fn really(&mut self, happens: Move, before: &State) {
        match happens {
            Move::Sends(kind, replica) => {
                let browser = self.browser.clone();
                self.send(kind, replica, &browser);
            }
            Move::Copies(kind, replica) => {
                let copy = self.copy.clone();
                self.send(kind, replica, &copy);
            }
            Move::Request(request) => {
                let request = before.requests[request];
                let (who, operation) = (Actor::Request(request.name), of_request(request.at).unwrap());
                self.leave(who, operation).await;
                if operation == "answer" {
                    self.leave(who, "look").await;
                }
            }
            Move::Flight(replica) => {
                let leg = before.replicas[replica].flight.unwrap().at;
                self.leave(Actor::Flight(replica), of_flight(leg).unwrap()).await;
                self.pause_where(leg == Leg::Claim && self.model.replicas == before.replicas)
                    .await;
            }
            Move::Revoker(revoker) => {
                let revoker = before.revokers[revoker];
                let operation = of_revoker(revoker.at).unwrap();
                self.leave(Actor::Revoker(revoker.name), operation).await;
                self.pause_where(self.model.revokers == before.revokers).await;
            }
            Move::Provider(replica, turn) => {
                let Some(Flight {
                    at: Leg::Asking { from, .. },
                    ..
                }) = before.replicas[replica].flight
                else {
                    unreachable!("nothing is asked")
                };
                let good = !before.provider.revoked && before.provider.good == from;
                self.world
                    .provider
                    .replies(move |asked| turn.reply(good, from, asked));
                self.world.provider.release();
            }
            // Of nobody who lives.
            Move::Stray(_) => {}
            Move::Arrives(answer) => self.browser.store(&self.answers.remove(answer)),
            Move::IsLost(answer) => drop(self.answers.remove(answer)),
            Move::Moment => {
                self.pass(before);
                self.keep_up().await;
            }
            Move::Stall | Move::Minute | Move::Lifetime => self.pass(before),
            Move::Crash(replica) => {
                let (life, _) = self.processes[replica];
                self.gate.kill(life);
                let next = 1 + self.processes.iter().map(|(life, _)| *life).max().unwrap();
                self.processes[replica] = (next, process(self.world, &self.gate, &self.store, next));
                let model = &self.model;
                self.actors.retain(|_, actor| actor.is_in(model));
            }
            Move::Epoch => {
                let random = &*self.world.sessions.parts.random;
                *self.store.lock().unwrap() = Arc::new(MemoryStore::new(random));
            }
        }
    }

    fn send(&mut self, kind: super::request::Kind, replica: usize, browser: &Browser) {
        let name = self.model.requests.last().unwrap().name;
        let (life, sessions) = &self.processes[replica];
        let gate = (Arc::clone(&self.gate), *life);
        let visit = visit(
            kind,
            sessions.clone(),
            browser.headers(),
            gate,
            name,
            self.said.0.clone(),
        );
        self.actors.insert(tokio::spawn(visit).id(), Actor::Request(name));
    }

    fn pass(&self, before: &State) {
        self.world.clock.advance(u64::from(self.model.now - before.now));
    }

    /// Whoever was refused the right asks again after a pause.
    async fn pause_where(&self, refused: bool) {
        if refused {
            tokio::task::yield_now().await;
            tokio::time::advance(LONGEST_PAUSE).await;
        }
    }

    /// The one who has the right, and is at it, asks for it again.
    async fn keep_up(&mut self) {
        let Some(Claimant::Flight(replica)) = self.model.store.holder() else {
            return;
        };
        let flight = self.model.replicas[usize::from(replica)].flight;
        if flight.is_none_or(|flight| !flight.at.is_kept_up()) {
            return;
        }
        let who = Actor::Flight(replica.into());
        if !self.is_waiting(who, "claim") {
            tokio::time::advance(LEASE / 3).await;
        }
        self.leave(who, "claim").await;
    }

    /// Lets an operation through and waits until it is done.
    async fn leave(&mut self, who: Actor, operation: &'static str) {
        let begun = Instant::now();
        while !self.is_waiting(who, operation) {
            self.patient(begun, (who, operation)).await;
        }
        let task = self.task(who).unwrap();
        let passed = self.gate.leave(task, operation);
        while self.gate.passed() == passed {
            self.patient(begun, (who, operation)).await;
        }
    }

    /// Waits until the code wants to do what the model does next, and nothing else.
    async fn settle(&mut self, before: &State) {
        let asking = |state: &State| -> Vec<Option<Generation>> {
            let flights = state.replicas.iter().map(|replica| replica.flight);
            flights
                .map(|flight| match flight?.at {
                    Leg::Asking { from, .. } => Some(from),
                    _ => None,
                })
                .collect()
        };
        for (now, then) in asking(&self.model).into_iter().zip(asking(before)) {
            if let (Some(from), None) = (now, then) {
                self.asked += 1;
                let begun = Instant::now();
                while self.world.provider.asked().len() < self.asked {
                    self.patient(begun, "a token request").await;
                }
                let sent = self.world.provider.asked();
                assert_eq!(sent.last(), Some(&format!("rt-{from}")), "{:#?}", self.model);
            }
        }
        assert_eq!(self.world.provider.asked().len(), self.asked, "{:#?}", self.model);
        let begun = Instant::now();
        while let Some(missing) = self.missing() {
            self.patient(begun, missing).await;
        }
    }

    /// What the model does next and the code does not want to.
    fn missing(&mut self) -> Option<(Actor, &'static str)> {
        let requests = self.model.requests.iter();
        let requests = requests.filter_map(|one| Some((Actor::Request(one.name), of_request(one.at)?)));
        let flights = self.model.replicas.iter().enumerate();
        let flights = flights.filter_map(|(at, one)| Some((Actor::Flight(at), of_flight(one.flight?.at)?)));
        let revokers = self.model.revokers.iter();
        let revokers = revokers.filter_map(|one| Some((Actor::Revoker(one.name), of_revoker(one.at)?)));
        let wanted: Vec<_> = requests.chain(flights).chain(revokers).collect();
        wanted
            .into_iter()
            .find(|(who, operation)| !self.is_waiting(*who, operation))
    }

    fn is_waiting(&mut self, who: Actor, operation: &str) -> bool {
        self.identify();
        let task = self.task(who);
        let mut waiting = self
            .processes
            .iter()
            .flat_map(|(life, _)| self.gate.waiting(*life));
        waiting.any(|(id, waits)| Some(id) == task && waits == operation)
    }

    fn task(&self, who: Actor) -> Option<Id> {
        let found = self.actors.iter().find(|(_, actor)| **actor == who);
        found.map(|(id, _)| *id)
    }

    /// Learns who the tasks are that nobody has seen before.
    fn identify(&mut self) {
        for (replica, (life, _)) in self.processes.iter().enumerate() {
            for (task, operation) in self.gate.waiting(*life) {
                if self.actors.contains_key(&task) {
                    continue;
                }
                let flight = Actor::Flight(replica);
                let flies = self.model.replicas[replica].flight.is_some() && self.task(flight).is_none();
                let revokers = self.model.revokers.iter().filter(|one| one.replica == replica);
                let mut revokers = revokers.map(|one| Actor::Revoker(one.name));
                let who = if flies {
                    Some(flight)
                } else {
                    revokers.find(|one| self.task(*one).is_none())
                };
                let who = who.unwrap_or_else(|| panic!("who wants to {operation}? {:#?}", self.model));
                self.actors.insert(task, who);
            }
        }
    }

    /// A flight that has landed is none any more, though another may fly in its place.
    fn forget_the_landed(&mut self, happens: Move, before: &State) {
        let model = &self.model;
        self.actors.retain(|_, actor| actor.is_in(model));
        let Move::Flight(replica) = happens else {
            return;
        };
        let (then, now) = (
            before.replicas[replica].flight.unwrap(),
            model.replicas[replica].flight,
        );
        let begins = matches!(
            now,
            Some(Flight {
                at: Leg::First(Standing { at: At::Look, .. }),
                ..
            })
        );
        if matches!(then.at, Leg::Release(_) | Leg::First(_)) && begins {
            self.actors.retain(|_, actor| *actor != Actor::Flight(replica));
        }
    }

    /// Lets others do something; fails when what is waited for never comes.
    pub(super) async fn patient(&self, begun: Instant, what: impl std::fmt::Debug) {
        tokio::task::yield_now().await;
        if begun.elapsed() > NEVER {
            let waiting: Vec<_> = self
                .processes
                .iter()
                .map(|(life, _)| self.gate.waiting(*life))
                .collect();
            panic!(
                "{what:?} never comes; {waiting:?} of {:?} wait; {:#?}",
                self.actors, self.model
            );
        }
    }
}

impl Actor {
    pub(super) fn is_in(self, model: &State) -> bool {
        match self {
            Self::Request(name) => model.requests.iter().any(|one| one.name == name),
            Self::Flight(replica) => model.replicas[replica].flight.is_some(),
            Self::Revoker(name) => model.revokers.iter().any(|one| one.name == name),
        }
    }
}

fn process(world: &World, gate: &Arc<Gate>, store: &Arc<Mutex<Arc<MemoryStore>>>, life: u64) -> Sessions {
    let store = GatedStore {
        life,
        gate: Arc::clone(gate),
        store: Arc::clone(store),
        clock: Arc::clone(&world.clock),
    };
    // Nobody gives up: who does is like one whose answer is lost. A logout waits for nothing, which is the worst case.
    let patience = Patience {
        request: FOREVER,
        farewell: Duration::ZERO,
        revocation: Duration::ZERO,
        turn: FOREVER,
    };
    world.process(Arc::new(store), patience)
}

/// Of a flight that waits for its turn.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);
const FOREVER: Duration = Duration::from_secs(1_000_000);
/// A slow machine is not late yet.
const NEVER: Duration = Duration::from_secs(30);
