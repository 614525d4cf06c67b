/** What the page is told of the session, and when. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TokenHandlerError } from '../../spa-demo/js/token-handler.js';
import { World, json, refusal } from './world.js';

const SESSION = 'GET /oauth-agent/session';

test('the first page load asks once, says nothing in the console and leaves document.cookie alone', async (t) => {
  const world = new World(t);
  const tab = await world.tab();
  assert.deepEqual(await tab.ready, { status: 'anonymous', reason: 'none' });
  assert.deepEqual(world.server.seen.map(({ method, path }) => `${method} ${path}`), [SESSION]);
  assert.deepEqual(world.console, []);
  world.server.signIn();
  await tab.fetch('/api/x');
  await tab.reload();
  await tab.logout();
  assert.equal(world.cookieReads, 0);
});

test('every request carries the CSRF header, and asks for the cookies of its own origin only', async (t) => {
  const world = new World(t);
  world.server.signIn();
  const tab = await world.tab();
  await tab.fetch('/api/x');
  await tab.refresh();
  await tab.userinfo();
  assert.deepEqual([...new Set(world.server.seen.map(({ headers }) => headers.get('token-handler-version')))], ['1']);
});

test('the snapshot is frozen all the way down, replaced when it changes, and the same object until then', async (t) => {
  const world = new World(t);
  world.server.signIn();
  const tab = await world.tab();
  const { session } = tab;
  assert.ok(Object.isFrozen(session) && session.status === 'authenticated' && Object.isFrozen(session.claims));
  assert.equal(tab.session, session, 'useSyncExternalStore needs this');
  await tab.refresh();
  assert.notEqual(tab.session, session);
});

test('a wall clock that is a day off changes nothing', async (t) => {
  const world = new World(t);
  const { now } = Date;
  t.after(() => (Date.now = now));
  Date.now = () => now() + 86_400_000;
  world.server.signIn('alice', { access: 120 });
  const tab = await world.tab();
  assert.ok(tab.session.status === 'authenticated');
  assert.equal(tab.session.accessExpiresAt, world.now + 120_000);
  Date.now = () => now() - 86_400_000;
  await world.advance(60);
  assert.equal((await tab.fetch('/api/x')).status, 200);
  assert.equal(world.server.refreshes, 0);
});

test('a warning comes before the end, after a look: calls may have slid the end away meanwhile', async (t) => {
  const world = new World(t);
  world.server.signIn('alice', { access: 10_000, idle: 600 });
  const tab = await world.tab({ warnSeconds: 120 });
  /** @type {boolean[]} */
  const warnings = [];
  tab.subscribe((session) => session.status === 'authenticated' && warnings.push(session.expiring));
  await world.advance(400);
  await tab.fetch('/api/x'); // slides the idle timeout
  await world.advance(100);
  assert.deepEqual(warnings.filter(Boolean), [], 'no warning at 480 s: the call moved the end');
  await world.advance(400);
  assert.deepEqual(warnings.filter(Boolean), [true], 'one warning');
  await tab.refresh();
  assert.equal(tab.session.status === 'authenticated' && tab.session.expiring, false, '“stay signed in”');
});

test('looking does not keep a session alive: it warns, ends, and says why', async (t) => {
  const world = new World(t);
  world.server.signIn('alice', { access: 10_000, idle: 300 });
  const tab = await world.tab();
  await world.advance(182);
  assert.ok(tab.session.status === 'authenticated' && tab.session.expiring);
  await world.advance(121);
  assert.deepEqual(tab.session, { status: 'anonymous', reason: 'expired' });
});

test('a call that slides the end away takes the warning down in every tab', async (t) => {
  const world = new World(t);
  world.server.signIn('alice', { access: 10_000, idle: 300 });
  const [one, two] = [await world.tab(), await world.tab()];
  await world.advance(190);
  for (const tab of [one, two]) assert.ok(tab.session.status === 'authenticated' && tab.session.expiring);
  await one.fetch('/api/x');
  await world.advance(0.1);
  for (const tab of [one, two]) assert.ok(tab.session.status === 'authenticated' && !tab.session.expiring);
});

test('an agent that cannot be asked at first is asked again, with patience, and when the browser is online again', async (t) => {
  const world = new World(t);
  world.server.signIn();
  world.server.offline = true;
  const tab = await world.tab();
  assert.equal(tab.session.status === 'anonymous' && tab.session.reason, 'unknown');
  assert.equal(tab.session.status === 'anonymous' && tab.session.error?.code, 'network_error');
  world.server.offline = false;
  await world.advance(2);
  assert.equal(tab.session.status, 'authenticated');
  world.server.offline = true;
  await tab.reload();
  assert.equal(tab.session.status, 'authenticated', 'a failed look changes nothing');
  world.server.offline = false;
  const looks = world.server.count(SESSION);
  world.window.dispatchEvent(new Event('online'));
  await world.settle();
  assert.equal(world.server.count(SESSION), looks + 1);
});

test('a page out of the back/forward cache shows nothing private before the agent has spoken', async (t) => {
  const world = new World(t);
  world.server.signIn();
  const tab = await world.tab();
  world.server.end('logged_out');
  /** @type {string[]} */
  const seen = [];
  tab.subscribe((session) => seen.push(session.status));
  world.window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
  await world.settle();
  assert.deepEqual(seen, ['loading', 'anonymous']);
});

test('errors carry code, status and request id, and say what to do', async (t) => {
  const world = new World(t);
  const tab = await world.tab();
  world.server.once('POST /oauth-agent/login/start', () => refusal(403, 'origin_rejected'));
  await assert.rejects(tab.login(), (error) => {
    assert.ok(error instanceof TokenHandlerError);
    assert.deepEqual([error.code, error.status, error.requestId, error.retryable], ['origin_rejected', 403, 'req-7', false]);
    assert.match(error.message, /about origin_rejected .*allowed_origins.*\(request req-7\)/);
    return true;
  });
  world.server.once('POST /oauth-agent/login/start', () => new Response('<!doctype html>', { headers: { 'content-type': 'text/html' } }));
  await assert.rejects(tab.login(), { code: 'unexpected_answer', status: 200, message: /development server/ });
  await assert.rejects(tab.fetch('/apiary'), { code: 'not_an_api', status: 0 });
  await assert.rejects(tab.fetch('https://evil.example/api/x'), { code: 'not_an_api' });
  await assert.rejects(tab.fetch('/api/../oauth-agent/session'), { code: 'not_an_api' });
});

test('a misspelt option is refused, not ignored', async (t) => {
  const world = new World(t);
  await assert.rejects(world.tab(/** @type {any} */ ({ agnt: '/x' })), { code: 'invalid_option', message: /`agnt`/ });
  const tab = await world.tab();
  await assert.rejects(tab.login(/** @type {any} */ ({ return_to: '/' })), { code: 'invalid_option', message: /`return_to`/ });
});

test('a listener that throws is not the next one’s trouble', async (t) => {
  const world = new World(t);
  const tab = await world.tab();
  let heard = 0;
  tab.subscribe(() => {
    throw new Error('mine');
  });
  const stop = tab.subscribe(() => (heard += 1));
  world.server.signIn();
  await tab.reload();
  stop();
  await tab.logout();
  assert.equal(heard, 1);
  assert.match(world.console.join(), /mine/);
});

test('an answer that was asked for before the sign-out does not bring the session back', async (t) => {
  const world = new World(t);
  world.server.signIn();
  const tab = await world.tab();
  let answer = (/** @type {Response} */ _) => {};
  world.server.once(SESSION, () => new Promise((resolve) => (answer = resolve)));
  const looked = tab.reload();
  await world.settle();
  await tab.logout();
  answer(json({ is_logged_in: true, id_token_claims: { sub: 'alice' } }));
  await looked;
  assert.equal(tab.session.status, 'anonymous');
});
