//! Any order of calls, refreshes, logouts, logins, key rotations, reloads, outages and clock steps, through the whole
//! service: no 5xx but the named ones, no session after its end, none lost, and no token for who has no session.

use std::sync::Arc;

use futures_util::future::join_all;
use http::Method;
use proptest::prelude::*;

use crate::world::balky::Balky;
use crate::world::provider::Instead;
use crate::world::{Browser, MORE_KEYS, Plan, Reply, World};

const MORE_ROUTES: &str = r#"
[[app.route]]
path = "/api"
upstream = "{upstream}"
timeout = "29s"

[[app.route]]
path = "/more"
upstream = "{upstream}"
"#;

#[derive(Debug, Clone)]
enum Step {
    /// So many at once.
    Call(usize),
    /// One whose answer is lost.
    LostCall,
    Refresh,
    Session,
    Logout,
    SignIn,
    Copy,
    /// A call with a copy that was made at some time.
    Replay(usize),
    AddKey,
    MoveKey,
    RemoveKey,
    Reload,
    ProviderGoes(bool),
    StoreGoes(bool),
    StoreRefusesAfter(u32),
    Wait(u64),
    Back(u64),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (1..4_usize).prop_map(Step::Call),
        2 => Just(Step::LostCall),
        3 => Just(Step::Refresh),
        3 => Just(Step::Session),
        2 => Just(Step::Logout),
        3 => Just(Step::SignIn),
        3 => Just(Step::Copy),
        3 => (0..8_usize).prop_map(Step::Replay),
        1 => Just(Step::AddKey),
        1 => Just(Step::MoveKey),
        1 => Just(Step::RemoveKey),
        1 => Just(Step::Reload),
        2 => any::<bool>().prop_map(Step::ProviderGoes),
        2 => any::<bool>().prop_map(Step::StoreGoes),
        1 => (0..12_u32).prop_map(Step::StoreRefusesAfter),
        6 => (1..500_u64).prop_map(Step::Wait),
        2 => (1..6_u64).prop_map(Step::Back),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(48), ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_things_yields_a_5xx_or_a_session_after_its_end(
        steps in prop::collection::vec(any_step(), 30..50),
    ) {
        // R-03, R-08, R-12, K-12.
        play(steps);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(2_000), ..ProptestConfig::default() })]

    #[test]
    #[ignore = "long"]
    fn nor_does_any_of_thousands(steps in prop::collection::vec(any_step(), 30..80)) {
        play(steps);
    }
}

/// As many as `PROPTEST_CASES` says, else `usual`.
fn cases(usual: u32) -> u32 {
    let said = std::env::var("PROPTEST_CASES").ok();
    said.and_then(|cases| cases.parse().ok()).unwrap_or(usual)
}

fn play(steps: Vec<Step>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut play = Play::new().await;
        for step in steps {
            play.step(step).await;
        }
    });
}

struct Play {
    world: World,
    store: Arc<Balky>,
    browser: Browser,
    /// The session in the browser, by its number.
    held: Option<usize>,
    copies: Vec<(Browser, usize)>,
    sessions: Vec<Known>,
    /// The ring, and how many keys were ever made.
    keys: Vec<String>,
    drawn: usize,
    more_routes: bool,
    provider_down: bool,
    /// When the provider was down last: it is left alone for a moment after that.
    down_at: u64,
    /// The store may refuse something in this step.
    was_balky: bool,
}

/// What is known of a session.
struct Known {
    ended: bool,
    /// Nothing has happened that it may rightly be lost by.
    sure: bool,
    /// When it was used last.
    used: u64,
}

impl Play {
    async fn new() -> Self {
        let store = Balky::new();
        let world = World::with(Plan {
            store: Some(store.clone()),
            ..Plan::default()
        })
        .await;
        Self {
            browser: world.browser(),
            world,
            store,
            held: None,
            copies: Vec::new(),
            sessions: Vec::new(),
            keys: vec!["env:COOKIE_KEY".to_owned()],
            drawn: 0,
            was_balky: false,
            more_routes: false,
            provider_down: false,
            down_at: 0,
        }
    }

    async fn step(&mut self, step: Step) {
        let now = self.world.clock.secs();
        if self.provider_down {
            self.down_at = now;
        }
        // A store that was told to refuse something may do so at any of what follows.
        self.was_balky = self.store.is_balky();
        if self.was_balky {
            self.doubt_all();
        }
        match step {
            Step::Call(count) => {
                let before = self.world.upstream.count();
                let replies = join_all((0..count).map(|_| self.browser.get("/api/x"))).await;
                for reply in &replies {
                    self.check(reply, self.held);
                }
                let served = replies.iter().filter(|reply| reply.status == 200).count();
                self.forwarded_since(before, served);
            }
            Step::LostCall => {
                let tab = self.browser.copy();
                self.call_with(tab, self.held).await;
            }
            Step::Refresh => {
                let reply = self
                    .browser
                    .fetch(Method::POST, "/oauth-agent/refresh")
                    .send()
                    .await;
                self.check(&reply, self.held);
            }
            Step::Session => self.look().await,
            Step::Logout => self.log_out().await,
            Step::SignIn => self.sign_in().await,
            Step::Copy => self
                .copies
                .extend(self.held.map(|held| (self.browser.copy(), held))),
            Step::Replay(which) => {
                if let Some((copy, session)) = self.copies.get(which).cloned() {
                    // Whoever has a copy may be taken for the owner, and the owner for a thief.
                    self.sessions[session].sure = false;
                    self.call_with(copy, Some(session)).await;
                }
            }
            Step::AddKey => {
                if self.drawn < MORE_KEYS {
                    self.drawn += 1;
                    self.keys.push(format!("env:COOKIE_KEY_{}", self.drawn));
                    self.reload();
                }
            }
            Step::MoveKey => {
                self.keys.rotate_right(1);
                self.reload();
            }
            Step::RemoveKey => {
                self.keys.truncate(self.keys.len().max(2) - 1);
                // Who was not there since the other key came first has to sign in again.
                self.doubt_all();
                self.reload();
            }
            Step::Reload => {
                self.more_routes = !self.more_routes;
                self.reload();
            }
            Step::ProviderGoes(down) => {
                self.provider_down = down;
                if down {
                    self.world.provider.instead("/token", Instead::html(500));
                } else {
                    self.world.provider.heal();
                }
            }
            Step::StoreGoes(down) => self.store.goes(down),
            Step::StoreRefusesAfter(operations) => self.store.refuses_after(operations),
            Step::Wait(seconds) => self.world.clock.advance_secs(seconds),
            Step::Back(seconds) => self.world.clock.turn_back_secs(seconds),
        }
        let holds = self
            .browser
            .jar()
            .names()
            .iter()
            .any(|name| name.ends_with("-at"));
        self.held = self.held.filter(|_| holds);
    }

    /// As many requests reached the API as were served, each with a token.
    fn forwarded_since(&self, before: usize, served: usize) {
        let seen = self.world.upstream.seen();
        assert_eq!(seen.len() - before, served);
        for request in &seen[before..] {
            assert!(request.one("authorization").unwrap().starts_with("Bearer AT"));
        }
    }

    /// The provider was down a moment ago.
    fn sulks(&self) -> bool {
        self.world.clock.secs().abs_diff(self.down_at) <= 2
    }

    fn doubt_all(&mut self) {
        for session in &mut self.sessions {
            session.sure = false;
        }
    }

    fn reload(&self) {
        let keys: Vec<_> = self.keys.iter().map(|key| format!("\"{key}\"")).collect();
        self.world.reload(&Plan {
            keys: Some(keys.join(", ")),
            routes: self.more_routes.then(|| MORE_ROUTES.to_owned()),
            ..Plan::default()
        });
    }

    /// A call whose answer does not reach the browser that is looked at.
    async fn call_with(&mut self, browser: Browser, session: Option<usize>) {
        let before = self.world.upstream.count();
        let reply = browser.get("/api/x").await;
        self.is_no_surprise(&reply);
        if !reply.status.is_server_error() {
            self.judge(reply.status == 200, session, &reply);
        }
        self.forwarded_since(before, usize::from(reply.status == 200));
    }

    async fn look(&mut self) {
        let reply = self.browser.get("/oauth-agent/session").await;
        if reply.status != 200 {
            self.check(&reply, self.held);
            return;
        }
        let alive = reply.json()["is_logged_in"] == true;
        self.judge(alive, self.held, &reply);
    }

    async fn log_out(&mut self) {
        let reply = self
            .browser
            .fetch(Method::POST, "/oauth-agent/logout")
            .send()
            .await;
        self.is_no_surprise(&reply);
        if reply.status.is_success()
            && let Some(held) = self.held.take()
        {
            self.sessions[held].ended = true;
        }
    }

    async fn sign_in(&mut self) {
        let started = self
            .browser
            .post("/oauth-agent/login/start", &serde_json::json!({}))
            .await;
        self.is_no_surprise(&started);
        if started.status != 200 {
            return;
        }
        let url = started.json()["authorization_url"].as_str().unwrap().to_owned();
        let landed = self.browser.come_back(&self.world.provider.approve(&url)).await;
        assert_eq!(landed.status, 303, "{landed:?}");
        if let Some(error) = landed.location_parameter("login_error") {
            let excused = self.provider_down || self.was_balky || self.sulks();
            assert!(excused, "{error}: {landed:?}");
            return;
        }
        if let Some(replaced) = self.held {
            self.sessions[replaced].ended = true;
        }
        self.held = Some(self.sessions.len());
        self.sessions.push(Known {
            ended: false,
            sure: !self.was_balky,
            used: self.world.clock.secs(),
        });
    }

    /// What an endpoint that needs a session says.
    fn check(&mut self, reply: &Reply, session: Option<usize>) {
        self.is_no_surprise(reply);
        if reply.status.is_server_error() {
            return;
        }
        let ok = reply.status.is_success();
        assert!(ok || matches!(reply.status.as_u16(), 401 | 409), "{reply:?}");
        self.judge(ok, session, reply);
        if let Some(session) = session.filter(|_| ok) {
            self.sessions[session].used = self.world.clock.secs();
        }
    }

    fn judge(&mut self, alive: bool, session: Option<usize>, reply: &Reply) {
        let now = self.world.clock.secs();
        let Some(number) = session else {
            assert!(!alive, "nobody has a session: {reply:?}");
            return;
        };
        let known = &mut self.sessions[number];
        assert!(!(alive && known.ended), "it has ended: {reply:?}");
        // Not long before the idle timeout: small steps of the clock are not counted.
        let fresh = now.saturating_sub(known.used) < 1_500;
        assert!(
            alive || known.ended || !known.sure || !fresh,
            "it is lost: {reply:?}"
        );
        known.sure &= fresh;
        if matches!(reply.code().as_deref(), Some("session_revoked")) {
            known.ended = true;
        }
    }

    /// 503 where the provider or the store is down, and no other 5xx.
    fn is_no_surprise(&self, reply: &Reply) {
        if reply.status.is_server_error() {
            assert_eq!(reply.status, 503, "{reply:?}");
            let code = reply.code();
            match code.as_deref() {
                Some("provider_unavailable") => assert!(self.provider_down || self.sulks(), "{reply:?}"),
                Some("store_unavailable") => assert!(self.was_balky, "{reply:?}"),
                other => panic!("{other:?}: {reply:?}"),
            }
        }
    }
}
