/** Tabs of one browser move in step, and go on alone where they cannot hear each other. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World, refusal } from './world.js';

test('a sign-out in one tab reaches the others without a request', async (t) => {
  const world = new World(t);
  world.server.signIn();
  const [one, two, three] = [await world.tab(), await world.tab(), await world.tab()];
  const asked = world.server.seen.length;
  await one.logout();
  await world.settle();
  for (const tab of [one, two, three]) assert.deepEqual(tab.session, { status: 'anonymous', reason: 'logged_out' });
  assert.equal(world.server.seen.length, asked + 1);
  assert.deepEqual(world.left, ['https://shop.example.com/oauth-agent/end-session'], 'and only the one leaves for the provider');
});

test('a sign-in in one tab reaches the others, who ask the agent for themselves', async (t) => {
  const world = new World(t);
  const [one, two] = [await world.tab(), await world.tab()];
  world.server.signIn();
  await one.reload(); // as the page does after the way back from the provider
  await world.settle();
  assert.equal(two.session.status === 'authenticated' && two.session.claims.sub, 'alice');
});

test('nothing that tabs tell each other says more than that something happened', async (t) => {
  const world = new World(t);
  world.server.signIn();
  const tab = await world.tab();
  await tab.refresh();
  await tab.logout();
  const kinds = world.said.map(({ type }) => type);
  assert.deepEqual(kinds, ['began', 'renewed', 'ended']);
  assert.doesNotMatch(JSON.stringify(world.said), /eyJ|token|cookie/);
});

test('nonsense on the channel is ignored', async (t) => {
  const world = new World(t);
  world.server.signIn();
  const tab = await world.tab();
  const stranger = new BroadcastChannel('token-handler:https://shop.example.com/oauth-agent/');
  for (const data of [null, 7, 'ended', [], {}, { type: 'nothing' }, { type: 'renewed', seconds: '9' }]) stranger.postMessage(data);
  await world.settle();
  assert.equal(tab.session.status, 'authenticated');
});

for (const channels of /** @type {const} */ ([false, 'refuse'])) {
  test(`without BroadcastChannel (${channels || 'missing'}) the other tab finds out at its next call`, async (t) => {
    const world = new World(t, { channels });
    world.server.signIn();
    const [one, two] = [await world.tab(), await world.tab()];
    await one.logout();
    await world.settle();
    assert.equal(two.session.status, 'authenticated', 'nobody told it');
    assert.equal((await two.fetch('/api/x')).headers.get('token-handler-error'), 'session_revoked');
    assert.equal(two.session.status, 'anonymous');
  });
}

test('a 401 about a session that is no longer the one in the jar signs nobody out', async (t) => {
  const world = new World(t);
  world.server.signIn();
  const tab = await world.tab();
  world.server.once('GET /api/x', () => {
    world.server.signIn('bob'); // another tab signed in meanwhile
    return refusal(401, 'session_revoked');
  });
  await tab.fetch('/api/x');
  assert.equal(tab.session.status === 'authenticated' && tab.session.claims.sub, 'bob');
});

test('a tab that is looked at again after a while looks again', async (t) => {
  const world = new World(t, { channels: false });
  world.server.signIn();
  const tab = await world.tab();
  world.server.end('revoked');
  world.document.dispatchEvent(new Event('visibilitychange'));
  await world.settle();
  assert.equal(tab.session.status, 'authenticated', 'not for every glance');
  world.now += 61_000;
  world.document.dispatchEvent(new Event('visibilitychange'));
  await world.settle();
  assert.deepEqual(tab.session, { status: 'anonymous', reason: 'revoked' });
});

test('a tab that was disposed neither hears nor speaks', async (t) => {
  const world = new World(t);
  world.server.signIn();
  const [one, two] = [await world.tab(), await world.tab()];
  two.dispose();
  const heard = [];
  two.subscribe((session) => heard.push(session));
  await one.logout();
  await world.settle();
  assert.deepEqual(heard, []);
});
