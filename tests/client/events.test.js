/** What `on` tells: each event once in every tab that knew the session, however many ways the news takes. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World, json, refusal } from './world.js';

const SESSION = 'GET /oauth-agent/session';
const EVENTS = /** @type {const} */ (['loggedout', 'expiring', 'superseded']);

/** Tabs, and what each was told. @param {World} world @param {number} [count] @param {Parameters<World['tab']>[0]} [options] */
async function listeningTabs(world, count = 3, options = {}) {
  const tabs = await Promise.all(Array.from({ length: count }, () => world.tab(options)));
  return { tabs, told: tabs.map(listenTo) };
}

/** @param {import('./world.js').Tab} tab @returns {object[]} */
function listenTo(tab) {
  /** @type {object[]} */
  const told = [];
  for (const event of EVENTS) tab.on(event, (what) => told.push({ event, ...what }));
  return told;
}

test('loggedout: a sign-out is told once in every tab, and where it came from', async (t) => {
  const world = new World(t);
  world.server.signIn();
  const { tabs, told } = await listeningTabs(world);
  await tabs[0].logout();
  await world.settle();
  await Promise.all(tabs.map((tab) => tab.fetch('/api/x'))); // a 401 each, which is no news
  await Promise.all(tabs.map((tab) => tab.reload()));
  await world.advance(3600);
  assert.deepEqual(told, [
    [{ event: 'loggedout', reason: 'logged_out', from: 'this_tab' }],
    [{ event: 'loggedout', reason: 'logged_out', from: 'another_tab' }],
    [{ event: 'loggedout', reason: 'logged_out', from: 'another_tab' }],
  ]);
});

test('loggedout: an end at the server is met by one tab, and told once in all', async (t) => {
  const world = new World(t);
  world.server.signIn();
  const { tabs, told } = await listeningTabs(world);
  world.server.end('revoked');
  await Promise.all([1, 2, 3].map(() => tabs[1].fetch('/api/x'))); // three refusals of one end
  await world.settle();
  await tabs[2].reload();
  assert.deepEqual(told, Array(3).fill([{ event: 'loggedout', reason: 'revoked', from: 'server' }]));
});

test('loggedout: the end by time is told, also when every tab looks at once', async (t) => {
  const world = new World(t);
  world.server.signIn('alice', { access: 10_000, idle: 300 });
  const { told } = await listeningTabs(world);
  await world.advance(400);
  for (const events of told) {
    const [warning, end, ...more] = /** @type {any[]} */ (events);
    assert.equal(warning.event, 'expiring');
    assert.deepEqual(end, { event: 'loggedout', reason: 'expired', from: 'server' });
    assert.deepEqual(more, []);
  }
});

for (const channels of /** @type {const} */ ([false, 'refuse'])) {
  test(`loggedout: without BroadcastChannel (${channels || 'missing'}) each tab is told at its next call, once`, async (t) => {
    const world = new World(t, { channels });
    world.server.signIn();
    const { tabs, told } = await listeningTabs(world, 2);
    await tabs[0].logout();
    await world.settle();
    assert.deepEqual(told[1], []);
    await Promise.all([tabs[1].fetch('/api/a'), tabs[1].fetch('/api/b'), tabs[1].reload()]);
    assert.deepEqual(told[1].map(({ event, from }) => [event, from]), [['loggedout', 'server']]);
  });
}

test('nothing is told in a page that starts signed out, also when it signs out again', async (t) => {
  const world = new World(t);
  const { tabs, told } = await listeningTabs(world, 2);
  await tabs[0].reload();
  await tabs[0].logout();
  world.document.dispatchEvent(new Event('visibilitychange'));
  await world.advance(3600);
  assert.deepEqual(told, [[], []]);
});

test('an agent that cannot be asked is no end; the end found later is told then', async (t) => {
  const world = new World(t);
  world.server.signIn();
  const { tabs, told } = await listeningTabs(world, 1);
  world.server.offline = true;
  world.window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true })); // shows nothing private from here on
  await world.settle();
  assert.equal(tabs[0].session.status === 'anonymous' && tabs[0].session.reason, 'unknown');
  assert.deepEqual(told[0], []);
  world.server.offline = false;
  world.server.end('logged_out');
  await world.advance(5);
  assert.deepEqual(told[0], [{ event: 'loggedout', reason: 'logged_out', from: 'server' }]);
});

test('a page out of the back/forward cache is told of the end that it slept through, and of nothing where all is as it was', async (t) => {
  const world = new World(t, { channels: false });
  world.server.signIn('alice', { access: 10_000, idle: 100 }); // about to end: told once, not again at the way back
  const { told } = await listeningTabs(world, 1);
  await world.advance(1);
  const comeBack = async () => {
    world.window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
    await world.settle();
  };
  await comeBack();
  assert.deepEqual(told[0].map(({ event }) => event), []);
  world.server.end('revoked');
  await comeBack();
  await comeBack();
  assert.deepEqual(told[0], [{ event: 'loggedout', reason: 'revoked', from: 'server' }]);
});

test('expiring: told once in every tab, with the seconds that are left, and again only after it was not', async (t) => {
  const world = new World(t);
  world.server.signIn('alice', { access: 10_000, idle: 300 });
  const { tabs, told } = await listeningTabs(world);
  await world.advance(190);
  assert.deepEqual(told, Array(3).fill([{ event: 'expiring', seconds: 119 }]));
  await tabs[1].refresh(); // “stay signed in”
  await world.settle();
  for (const tab of tabs) assert.equal(tab.session.status === 'authenticated' && tab.session.expiring, false);
  await world.advance(60);
  assert.equal(told.flat().length, 3);
  await world.advance(130);
  assert.deepEqual(told.map((events) => events.length), [2, 2, 2]);
});

test('expiring: told of the next session as of the one before', async (t) => {
  const world = new World(t);
  world.server.signIn('alice', { access: 10_000, idle: 100 });
  const { tabs: [tab], told } = await listeningTabs(world, 1);
  await tab.logout();
  world.server.signIn('bob', { access: 10_000, idle: 100 });
  await tab.reload();
  world.server.signIn('carol', { access: 10_000, idle: 100 });
  await tab.reload();
  assert.deepEqual(told[0].map(({ event }) => event), ['loggedout', 'expiring', 'superseded', 'expiring']);
});

test('expiring: a tab whose timer the browser holds back hears it from the others', async (t) => {
  const world = new World(t);
  world.server.signIn('alice', { access: 10_000, idle: 300 });
  const { tabs: [behind], told: [atBehind] } = await listeningTabs(world, 1);
  const held = new Set(world.timers.keys());
  const ahead = await world.tab();
  const atAhead = listenTo(ahead);
  for (const id of held) world.timers.delete(id); // throttled, in the background
  await world.advance(190);
  assert.deepEqual(atAhead.map(({ event }) => event), ['expiring']);
  assert.deepEqual(atBehind.map(({ event }) => event), ['expiring']);
  assert.ok(behind.session.status === 'authenticated' && behind.session.expiring);
});

test('expiring: a page that opens shortly before the end is told, too; the absolute end is told once, whoever calls', async (t) => {
  const world = new World(t);
  world.server.signIn('alice', { access: 10_000, absolute: 90 });
  const { tabs, told } = await listeningTabs(world, 1);
  assert.deepEqual(told[0].length, 0, 'heard only from here on');
  const late = world.tab(); // the listener is there before the first answer
  const opened = world.tabs.at(-1) ?? assert.fail();
  const heard = listenTo(opened);
  await late;
  assert.deepEqual(heard.map(({ event }) => event), ['expiring']);
  for (let n = 0; n < 4; n += 1) {
    await world.advance(10);
    await tabs[0].fetch('/api/x');
  }
  assert.equal(heard.length, 1, 'no call moves the absolute end');
});

test('superseded by a renewal: many calls that met one 409 are one occurrence, the next 409 is another', async (t) => {
  const world = new World(t);
  world.server.signIn();
  const { tabs: [tab, other], told } = await listeningTabs(world, 2);
  const met = () => world.server.once('GET /api/x', () => refusal(409, 'refresh_superseded'));
  for (let n = 0; n < 20; n += 1) met();
  const answers = Promise.all(Array.from({ length: 20 }, () => tab.fetch('/api/x')));
  await world.advance(1);
  assert.deepEqual([...new Set((await answers).map(({ status }) => status))], [200]);
  assert.deepEqual(told, [[{ event: 'superseded', by: 'renewal' }], []], 'the other tab met nothing');
  met();
  const later = tab.fetch('/api/x');
  await world.advance(1);
  assert.equal((await later).status, 200);
  assert.equal(told[0].length, 2);
  world.server.once('POST /oauth-agent/refresh', () => refusal(409, 'refresh_superseded'));
  const refreshed = other.refresh();
  await world.advance(1);
  await refreshed;
  assert.deepEqual(told[1], [{ event: 'superseded', by: 'renewal' }], 'a refresh meets it, too');
});

test('superseded by a renewal: a 409 that did not heal is no such event', async (t) => {
  const world = new World(t);
  world.server.signIn();
  const { tabs: [tab], told } = await listeningTabs(world, 1);
  for (let n = 0; n < 2; n += 1) world.server.once('GET /api/x', () => refusal(409, 'refresh_superseded'));
  const twice = tab.fetch('/api/x');
  await world.advance(1);
  assert.equal((await twice).status, 409);
  world.server.once('GET /api/x', () => {
    world.server.end('revoked');
    return refusal(409, 'refresh_superseded');
  });
  const over = tab.fetch('/api/x');
  await world.advance(1);
  assert.equal((await over).status, 401);
  assert.deepEqual(told[0], [{ event: 'loggedout', reason: 'revoked', from: 'server' }]);
});

test('a routine renewal in another tab is no event', async (t) => {
  const world = new World(t);
  world.server.signIn('alice', { access: 60 });
  const { tabs, told } = await listeningTabs(world);
  await world.advance(61);
  await tabs[0].fetch('/api/x');
  await world.settle();
  await Promise.all(tabs.map((tab) => tab.reload())); // a new ID token is no new sign-in
  await world.settle();
  assert.deepEqual(told, [[], [], []]);
  assert.equal(world.server.refreshes, 1);
});

test('superseded by a login: another sign-in that took the place of this one is told once in every tab that knew the old', async (t) => {
  const world = new World(t);
  world.server.signIn('alice');
  const { tabs, told } = await listeningTabs(world);
  await world.advance(5);
  world.server.signIn('bob');
  const page = await world.tab(); // as the tab does that came back from the provider
  const heard = listenTo(page);
  await world.settle();
  for (const tab of tabs) assert.equal(tab.session.status === 'authenticated' && tab.session.claims.sub, 'bob');
  await Promise.all(tabs.map((tab) => tab.reload()));
  assert.deepEqual(told, Array(3).fill([{ event: 'superseded', by: 'login' }]));
  assert.deepEqual(heard, []);
});

test('a sign-in after a sign-out supersedes nothing: that session was over', async (t) => {
  const world = new World(t);
  world.server.signIn('alice');
  const { tabs, told } = await listeningTabs(world, 2);
  await tabs[0].logout();
  world.server.signIn('bob');
  await tabs[0].reload();
  await world.settle();
  assert.equal(tabs[1].session.status, 'authenticated');
  assert.deepEqual(told.map((events) => events.map(({ event }) => event)), [['loggedout'], ['loggedout']]);
  await tabs[1].logout();
  await world.settle();
  assert.deepEqual(told.map((events) => events.length), [2, 2], 'and the second end is told like the first');
});

test('when an event is told, `session` has been replaced, and `subscribe` was told before', async (t) => {
  const world = new World(t);
  world.server.signIn();
  const tab = await world.tab();
  /** @type {string[]} */
  const order = [];
  tab.on('loggedout', () => order.push(`loggedout, ${tab.session.status}`));
  tab.subscribe(({ status }) => order.push(`session, ${status}`));
  await tab.logout();
  assert.deepEqual(order, ['session, anonymous', 'loggedout, anonymous']);
});

test('a listener that throws is not the next one’s trouble, and one that has stopped hears nothing more', async (t) => {
  const world = new World(t);
  world.server.signIn();
  const tab = await world.tab();
  let heard = 0;
  const count = () => void (heard += 1);
  tab.on('loggedout', () => {
    throw new Error('mine');
  });
  const stops = [tab.on('loggedout', count), tab.on('loggedout', count)];
  stops[0]();
  stops[0](); // once more does no harm
  tab.on('loggedout', () => stops[2]());
  stops.push(tab.on('loggedout', count));
  await tab.logout();
  assert.equal(heard, 1, 'one of the three: the others have stopped, one of them at the last moment');
  assert.match(world.console.join(), /mine/);
});

test('a tab that was disposed is told nothing', async (t) => {
  const world = new World(t);
  world.server.signIn();
  const { tabs, told } = await listeningTabs(world, 2);
  tabs[1].dispose();
  await tabs[0].logout();
  await world.settle();
  assert.deepEqual(told[1], []);
});

test('an event that does not exist is refused, not ignored', async (t) => {
  const world = new World(t);
  const tab = await world.tab();
  assert.throws(() => tab.on(/** @type {any} */ ('logout'), () => {}), { code: 'invalid_option', message: /`logout`/ });
});

test('an answer that was on its way when the session ended does not tell the end again', async (t) => {
  const world = new World(t);
  world.server.signIn();
  const { tabs: [tab, other], told } = await listeningTabs(world, 2);
  let answer = (/** @type {Response} */ _) => {};
  world.server.once(SESSION, () => new Promise((resolve) => (answer = resolve)));
  const looked = other.reload();
  await world.settle();
  await tab.logout();
  await world.settle();
  answer(json({ is_logged_in: true, id_token_claims: { sub: 'alice', iat: 5 } }));
  await looked;
  assert.deepEqual(told.map((events) => events.length), [1, 1]);
  assert.equal(other.session.status, 'anonymous');
});
