/**
 * Two of us behind a real nginx that gives them turns, on one real Redis, against a provider that rotates refresh tokens and
 * revokes the grant when an old one comes back: nobody is signed out, and whoever logged out stays so.
 */

import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { UserAgent } from '../support/user-agent.js';
import { startNginx } from './nginx.js';
import { skip, startRedis } from './redis.js';
import { call, post, session, signIn, startWorld } from './world.js';

const LONG = Boolean(process.env.CLOAKROOM_LONG);
const ROUNDS = LONG ? 200 : 20;
const OUTAGES = LONG ? 20 : 3;
const TABS = 5;
const CALLS = 20;
/** Always within the 30 seconds in which the proxy renews (contract §5, step 7). */
const NEARLY_OVER = 20;
const patience = { timeout: LONG ? 900_000 : 110_000, skip };

/** @param {import('node:test').TestContext} t @param {{persistent?: boolean}} [redisOf] */
async function startTwo(t, redisOf = {}) {
  const redis = await startRedis(redisOf);
  t.after(redis.stop);
  const world = await startWorld({
    gateway: startNginx,
    replicas: 2,
    store: `kind = "redis"\nurl = "${redis.url}"`,
    server: 'trusted_proxies = ["127.0.0.1/32"]',
  });
  t.after(world.stop);
  return { redis, world };
}

/** @param {import('./world.js').World} world */
const refreshes = (world) => world.provider.tokenRequests.filter((request) => request.grant === 'refresh_token');

/** A browser whose access token is about to expire. @param {import('./world.js').World} world */
async function signedIn(world) {
  world.provider.knobs.accessTokenLives = NEARLY_OVER;
  const { browser } = await signIn(world);
  world.provider.knobs.accessTokenLives = 3600;
  return browser;
}

/**
 * Twenty calls from each of five tabs at once. The provider holds its answer until all have left, and until `meanwhile` is done.
 * @param {import('./world.js').World} world @param {UserAgent} browser @param {() => Promise<void>} [meanwhile]
 */
async function storm(world, browser, meanwhile = async () => {}) {
  const allLeft = latch(TABS * CALLS);
  world.provider.knobs.beforeToken = async () => {
    await allLeft.opened;
    await meanwhile();
  };
  const answers = await Promise.all(
    Array.from({ length: TABS }, () => new UserAgent(browser.jar)).flatMap((tab) =>
      Array.from({ length: CALLS }, (_, n) => call(world, tab, { path: `/api/orders/${n}`, sent: allLeft.countDown })),
    ),
  );
  world.provider.knobs.beforeToken = async () => {};
  return answers;
}

/** @param {import('../support/user-agent.js').Answer[]} answers */
function allWell(answers) {
  const bad = answers.filter((answer) => answer.status !== 200);
  assert.deepEqual(bad.map((answer) => [answer.status, answer.text]), []);
}

/** No token request was ever refused: no superseded refresh token was sent. @param {import('./world.js').World} world */
function neverRefused(world) {
  assert.deepEqual(refreshes(world).filter((request) => request.status !== 200).map((request) => request.answer), []);
}

test(`${TABS * CALLS} calls over both replicas at the instant of expiry make one token request, ${ROUNDS} times`, patience, async (t) => {
  const { world } = await startTwo(t);
  for (let round = 1; round <= ROUNDS; round += 1) {
    const browser = await signedIn(world);
    const before = refreshes(world).length;
    allWell(await storm(world, browser));
    assert.equal(refreshes(world).length, before + 1, `round ${round}`);
    allWell([await call(world, browser), await call(world, browser)]);
    assert.equal((await session(world, browser)).is_logged_in, true);
    assert.equal(refreshes(world).length, before + 1, `round ${round}`);
  }
  neverRefused(world);
});

test(`a Redis that is killed in the middle of a renewal and finds everything again costs nobody a call, ${OUTAGES} times`, patience, async (t) => {
  const { redis, world } = await startTwo(t, { persistent: true });
  for (let round = 1; round <= OUTAGES; round += 1) {
    const browser = await signedIn(world);
    const before = refreshes(world).length;
    allWell(await storm(world, browser, redis.kill));
    await redis.run();
    await back(world);
    allWell(await Promise.all(Array.from({ length: 10 }, () => call(world, browser))));
    assert.equal(refreshes(world).length, before + 1, `round ${round}`);
    assert.equal((await session(world, browser)).is_logged_in, true);
  }
  neverRefused(world);
});

test(`a Redis that is killed in the middle of a renewal and has lost everything signs nobody out, ${OUTAGES} times`, patience, async (t) => {
  const { redis, world } = await startTwo(t);
  for (let round = 1; round <= OUTAGES; round += 1) {
    const browser = await signedIn(world);
    const behind = browser.twin();
    const before = refreshes(world).length;
    allWell(await storm(world, browser, redis.kill));
    await redis.run();
    await back(world);
    // An emptied store is a new epoch: every session is renewed before it is used, once.
    allWell(await Promise.all(Array.from({ length: 10 }, () => call(world, browser))));
    assert.equal(refreshes(world).length, before + 2, `round ${round}`);
    // A tab that has slept through all of it is given the new cookies.
    allWell([await call(world, behind)]);
    assert.equal((await session(world, browser)).is_logged_in, true);
  }
  neverRefused(world);
});

test('a rolling restart under load costs nobody a call', patience, async (t) => {
  const { world } = await startTwo(t);
  // Renewed every few seconds, so that many renewals fall into the restarts.
  world.provider.knobs.accessTokenLives = NEARLY_OVER;
  const { browser } = await signIn(world);
  let done = false;
  let calls = 0;
  const tabs = Array.from({ length: TABS }, async () => {
    const tab = new UserAgent(browser.jar);
    while (!done) {
      allWell([await call(world, tab)]);
      calls += 1;
    }
  });
  const restarts = async () => {
    for (let round = 0; round < (LONG ? 10 : 2); round += 1) {
      for (const index of world.ports.keys()) {
        const { code } = await world.servers[index].stop();
        assert.equal(code, 0);
        await world.start(index);
        const until = calls + 50;
        await world.servers[index].until(() => calls >= until || done, 'further calls');
      }
    }
  };
  try {
    await Promise.race([Promise.all(tabs), restarts()]);
  } finally {
    done = true;
  }
  await Promise.all(tabs);
  assert.ok(refreshes(world).length >= 2, 'it was renewed meanwhile');
  assert.equal((await session(world, browser)).is_logged_in, true);
  neverRefused(world);
});

test('a replica that is killed in the middle of a renewal keeps nobody waiting for longer than its lease', patience, async (t) => {
  const { world } = await startTwo(t);
  const browser = await signedIn(world);
  const arrived = latch(1);
  let asked = 0;
  world.provider.knobs.beforeAsked = async () => {
    asked += 1;
    if (asked > 1) return;
    arrived.countDown();
    await new Promise(() => {}); // lost with whoever asked
  };
  const cutOff = directly(world, world.ports[0], browser).then(() => assert.fail('it was killed'), () => {});
  await arrived.opened;
  const began = Date.now();
  const calls = Array.from({ length: 4 }, () => directly(world, world.ports[1], browser));
  world.servers[0].child.kill('SIGKILL');
  await cutOff;
  for (const answer of await Promise.all(calls)) {
    assert.equal(answer.status, 200);
    assert.ok(answer.setCookies.some((line) => line.includes('-rt=')), 'with the cookies of the renewal');
  }
  assert.ok(Date.now() - began < 10_000, 'the lease is six seconds');
  assert.equal(refreshes(world).length, 1);
  neverRefused(world);
});

test('a saved cookie is worth nothing after the logout, at each replica', patience, async (t) => {
  const { world } = await startTwo(t);
  const { browser } = await signIn(world);
  const saved = browser.twin();
  for (const port of world.ports) assert.equal((await directly(world, port, saved)).status, 200);
  assert.equal((await post(world, browser, 'logout')).status, 200);
  const began = Date.now();
  for (const port of world.ports) {
    await world.server.until(async () => (await directly(world, port, saved)).status === 401, `a refusal at ${port}`);
    assert.equal((await directly(world, port, saved)).code, 'session_revoked');
  }
  assert.ok(Date.now() - began < 1000, 'within a moment');
  // One that starts afterwards knows, too.
  await world.servers[1].stop();
  await world.start(1);
  assert.equal((await directly(world, world.ports[1], saved)).code, 'session_revoked');
});

/** Both replicas have come back: a login needs the store. @param {import('./world.js').World} world */
async function back(world) {
  for (const port of world.ports) {
    await world.server.until(async () => {
      const stranger = new UserAgent();
      const begun = await signIn(world, { browser: stranger }).then(() => true, () => false);
      return begun && (await directly(world, port, stranger)).status === 200;
    }, 'a login after the outage');
  }
}

/**
 * A call to one replica, past the gateway.
 * @param {import('./world.js').World} world @param {number} port @param {UserAgent} browser
 * @returns {Promise<{status: number, code: string | undefined, setCookies: string[]}>}
 */
function directly(world, port, browser) {
  const url = new URL('/api/orders', world.origin);
  const cookie = browser.jar.header(url, { sameSite: true, topLevelSafe: false });
  return new Promise((resolve, reject) => {
    const request = http.get({
      host: '127.0.0.1',
      port,
      path: url.pathname,
      agent: false,
      headers: { host: url.host, 'token-handler-version': '1', 'sec-fetch-site': 'same-origin', ...(cookie ? { cookie } : {}) },
    });
    request.once('error', reject);
    request.once('response', (response) => {
      response.resume();
      const code = response.headers['token-handler-error'];
      const setCookies = response.headers['set-cookie'] ?? [];
      resolve({ status: response.statusCode ?? 0, code: Array.isArray(code) ? code[0] : code, setCookies });
    });
  });
}

/** Opens when it has been counted down `count` times. @param {number} count */
function latch(count) {
  /** @type {() => void} */
  let open = () => {};
  const opened = /** @type {Promise<void>} */ (new Promise((resolve) => {
    open = resolve;
  }));
  const countDown = () => {
    count -= 1;
    if (count === 0) open();
  };
  return { opened, countDown };
}
