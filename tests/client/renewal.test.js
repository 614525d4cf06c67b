/** One renewal per browser, one retry per call, and nobody is signed out by losing a race. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World, json, refusal } from './world.js';

const REFRESH = 'POST /oauth-agent/refresh';

test('twenty calls in each of five tabs at the moment of expiry wait for one refresh, and all succeed', async (t) => {
  const world = new World(t);
  world.server.signIn('alice', { access: 60 });
  const tabs = await Promise.all([1, 2, 3, 4, 5].map(() => world.tab()));
  await world.advance(61);
  const answers = Promise.all(tabs.flatMap((tab) => Array.from({ length: 20 }, (_, n) => tab.fetch(`/api/orders/${n}`))));
  await world.advance(1);
  assert.deepEqual([...new Set((await answers).map(({ status }) => status))], [200]);
  assert.equal(world.server.refreshes, 1);
  for (const tab of tabs) assert.equal(tab.session.status, 'authenticated');
});

for (const locks of /** @type {const} */ ([false, 'refuse'])) {
  test(`without Web Locks (${locks || 'missing'}) a tab looks before it renews, and still one refresh is enough`, async (t) => {
    const world = new World(t, { locks });
    world.server.signIn('alice', { access: 60 });
    const [one, two] = [await world.tab(), await world.tab()];
    await world.advance(61);
    assert.equal((await one.fetch('/api/a')).status, 200);
    await world.settle();
    assert.equal((await two.fetch('/api/b')).status, 200);
    await Promise.all([two.fetch('/api/c'), two.fetch('/api/d')]);
    assert.equal(world.server.refreshes, 1);
  });
}

test('a refresh that another tab has just done is not done again', async (t) => {
  const world = new World(t);
  world.server.signIn('alice', { access: 60 });
  const [one, two] = [await world.tab(), await world.tab()];
  await world.advance(61);
  const open = world.server.holdRefreshes();
  const first = one.refresh();
  await world.settle();
  const second = two.refresh(); // waits for the lock
  await world.settle();
  open();
  await Promise.all([first, second]);
  assert.equal(world.server.refreshes, 1);
  assert.equal(two.session.accessExpiresAt, one.session.accessExpiresAt);
});

test('a call that a refusal hit is repeated once, with its body, whatever its method: nothing had been forwarded', async (t) => {
  const world = new World(t);
  world.server.signIn();
  const tab = await world.tab();
  world.server.once('POST /api/orders', () => refusal(401, 'access_token_expired'));
  const answer = await tab.fetch('/api/orders', { method: 'POST', body: '{"item":"coat"}', headers: { 'content-type': 'application/json' } });
  assert.deepEqual(await answer.json(), { path: '/api/orders', body: '{"item":"coat"}' });
  assert.equal(world.server.count('POST /api/orders'), 2);
});

test('a Request object is repeated with its body, too', async (t) => {
  const world = new World(t);
  world.server.signIn();
  const tab = await world.tab();
  world.server.once('PUT /api/orders/1', () => refusal(401, 'access_token_expired'));
  const answer = await tab.fetch(new Request('https://shop.example.com/api/orders/1', { method: 'PUT', body: 'x=1' }));
  assert.equal((await answer.json()).body, 'x=1');
});

test('an API that goes on saying the token has expired is asked twice and not a third time', async (t) => {
  const world = new World(t);
  world.server.signIn();
  const tab = await world.tab();
  for (let n = 0; n < 5; n += 1) world.server.once('GET /api/x', () => refusal(401, 'access_token_expired'));
  const answer = await tab.fetch('/api/x');
  assert.equal(answer.status, 401);
  assert.equal(world.server.count('GET /api/x'), 2);
  assert.equal(world.server.refreshes, 1);
  assert.equal(tab.session.status, 'authenticated');
});

test('a stream is not sent again: the refusal is the answer, and the next call finds a renewed session', async (t) => {
  const world = new World(t);
  world.server.signIn();
  const tab = await world.tab();
  world.server.once('POST /api/upload', () => refusal(401, 'access_token_expired'));
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('bytes'));
      controller.close();
    },
  });
  const answer = await tab.fetch('/api/upload', { method: 'POST', body, duplex: 'half' });
  assert.equal(answer.headers.get('token-handler-error'), 'access_token_expired');
  assert.equal(world.server.count('POST /api/upload'), 1);
  assert.equal(world.server.refreshes, 1);
});

test('409 refresh_superseded: the call is repeated once after the time that the answer asks for', async (t) => {
  const world = new World(t);
  world.server.signIn();
  const tab = await world.tab();
  world.server.once('GET /api/x', () => refusal(409, 'refresh_superseded', { 'retry-after': '2' }));
  const answer = tab.fetch('/api/x');
  await world.advance(1.9);
  assert.equal(world.server.count('GET /api/x'), 1, 'not yet: the winner’s cookies may be on their way');
  await world.advance(0.2);
  assert.equal((await answer).status, 200);
  assert.equal(world.server.count('GET /api/x'), 2);
});

test('a loser of the race stays signed in, also when it loses twice', async (t) => {
  const world = new World(t);
  world.server.signIn();
  const tab = await world.tab();
  for (let n = 0; n < 2; n += 1) world.server.once(REFRESH, () => refusal(409, 'refresh_superseded'));
  const lost = assert.rejects(tab.refresh(), { code: 'refresh_superseded', status: 409, requestId: 'req-7', retryable: true });
  await world.advance(1);
  await lost;
  assert.equal(world.server.count(REFRESH), 2);
  assert.equal(tab.session.status, 'authenticated');
});

test('offline in the middle of a refresh: the session stays, the call reports, and later everything works', async (t) => {
  const world = new World(t);
  world.server.signIn('alice', { access: 60 });
  const tab = await world.tab();
  await world.advance(61);
  world.server.once(REFRESH, () => {
    world.server.offline = true;
    throw new TypeError('Failed to fetch');
  });
  await assert.rejects(tab.fetch('/api/x'), { name: 'TokenHandlerError', code: 'network_error', status: 0, retryable: true });
  assert.equal(tab.session.status, 'authenticated', 'an outage ends nobody’s session');
  world.server.offline = false;
  assert.equal((await tab.fetch('/api/x')).status, 200);
});

test('a provider that is down keeps the session and says so', async (t) => {
  const world = new World(t);
  world.server.signIn('alice', { access: 60 });
  const tab = await world.tab();
  await world.advance(61);
  world.server.once(REFRESH, () => refusal(503, 'provider_unavailable'));
  await assert.rejects(tab.fetch('/api/x'), { code: 'provider_unavailable', status: 503, retryable: true });
  assert.equal(tab.session.status, 'authenticated');
});

test('a refresh that finds the session over tells the page, and the call’s 401 is its answer', async (t) => {
  const world = new World(t);
  world.server.signIn('alice', { access: 60 });
  const tab = await world.tab();
  await world.advance(61);
  world.server.once('GET /api/x', () => {
    world.server.end('expired');
    return refusal(401, 'access_token_expired');
  });
  const answer = await tab.fetch('/api/x');
  assert.equal(answer.status, 401);
  assert.deepEqual(tab.session, { status: 'anonymous', reason: 'expired' });
  assert.equal(world.server.count(REFRESH), 1);
  assert.deepEqual(world.left, [], 'nobody is sent to the provider without being asked');
});

test('a 401 of the API itself is passed through untouched', async (t) => {
  const world = new World(t);
  world.server.signIn();
  const tab = await world.tab();
  const looks = world.server.count('GET /oauth-agent/session');
  world.server.once('GET /api/x', () => json({ error: 'not for you' }, 401, { 'www-authenticate': 'Custom' }));
  const answer = await tab.fetch('/api/x');
  assert.deepEqual([answer.status, answer.headers.get('www-authenticate'), await answer.json()], [401, 'Custom', { error: 'not for you' }]);
  assert.equal(world.server.count('GET /api/x'), 1);
  assert.equal(world.server.count('GET /oauth-agent/session'), looks, 'and the session is not looked at');
  assert.equal(tab.session.status, 'authenticated');
});

test('a tab that hangs with the lock does not stop the others for ever', async (t) => {
  const world = new World(t);
  world.server.signIn();
  const tab = await world.tab({ timeoutSeconds: 5 });
  void navigator.locks.request('token-handler:https://shop.example.com/oauth-agent/', {}, () => new Promise(() => {}));
  const refreshed = tab.refresh();
  await world.advance(4);
  assert.equal(world.server.refreshes, 0);
  await world.advance(2);
  assert.equal((await refreshed).status, 'authenticated');
  assert.equal(world.server.refreshes, 1);
});

test('a refusal that was on its way while another call renewed is answered by a repetition, not by a second refresh', async (t) => {
  const world = new World(t);
  world.server.signIn('alice', { access: 60 });
  const tab = await world.tab();
  await world.advance(61);
  let arrive = (/** @type {Response} */ _) => {};
  world.server.once('GET /api/slow', () => new Promise((resolve) => (arrive = resolve)));
  const slow = tab.fetch('/api/slow');
  await world.advance(1);
  assert.equal((await tab.fetch('/api/quick')).status, 200);
  arrive(refusal(401, 'access_token_expired'));
  assert.equal((await slow).status, 200);
  assert.equal(world.server.refreshes, 1);
});
