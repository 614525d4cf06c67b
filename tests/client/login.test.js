/** Leaving for the provider and coming back, or finding out that there is no way back. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { takeLoginError } from '../../spa-demo/js/token-handler.js';
import { World } from './world.js';

const START = 'POST /oauth-agent/login/start';

/** The parameters of the last `login/start`. @param {World} world */
const wished = (world) => JSON.parse(world.server.seen.findLast(({ path }) => path.endsWith('login/start'))?.body ?? 'null');

test('a sign-in returns to where the user was, query and fragment included', async (t) => {
  const world = new World(t);
  const tab = await world.tab();
  await tab.login();
  assert.deepEqual(wished(world), { return_to: '/orders/42?tab=x#y' });
  assert.deepEqual(world.left, ['https://login.example.com/authorize?x=1']);
});

test('wishes go along under the names of the wire, lists as words', async (t) => {
  const world = new World(t);
  const tab = await world.tab();
  await tab.login({ returnTo: '/a', prompt: 'login', loginHint: 'al', acrValues: ['gold', 'silver'], maxAge: 60, uiLocales: 'de', scope: ['openid'] });
  assert.deepEqual(wished(world), { return_to: '/a', prompt: 'login', login_hint: 'al', acr_values: 'gold silver', max_age: 60, ui_locales: 'de', scope: 'openid' });
});

test('`onclick = handler.login` passes an event, which is no wish', async (t) => {
  const world = new World(t);
  const tab = await world.tab();
  await tab.login(/** @type {any} */ (new Event('click')));
  assert.deepEqual(wished(world), { return_to: '/orders/42?tab=x#y' });
});

for (const [href, returnTo] of [
  ['https://shop.example.com//evil.example/', '/'],
  [`https://shop.example.com/long?${'x'.repeat(1100)}`, '/long'],
  [`https://shop.example.com/${'x'.repeat(1100)}`, '/'],
  ['https://shop.example.com/a?b=%20c&login_error=access_denied&request_id=r&provider_error=p', '/a?b=+c'],
  ['https://shop.example.com/a?b=%20c', '/a?b=%20c'],
]) {
  test(`the default way back from ${href.slice(0, 70)} is ${returnTo}`, async (t) => {
    const world = new World(t, { href });
    const tab = await world.tab();
    await tab.login();
    assert.equal(wished(world).return_to, returnTo);
  });
}

test('a browser that refuses the cookies is found out before the page is left, so there is no login loop', async (t) => {
  const world = new World(t);
  world.server.keepsCookies = false;
  const tab = await world.tab();
  /** As an app does that signs everybody in. */
  const attempts = [];
  tab.subscribe((session) => {
    if (session.status === 'anonymous' && session.reason !== 'cookie_blocked') attempts.push(tab.login());
  });
  await assert.rejects(tab.login(), { code: 'cookie_blocked', message: /Safari on plain http/ });
  assert.deepEqual(world.left, []);
  assert.equal(tab.session.status === 'anonymous' && tab.session.reason, 'cookie_blocked');
  await tab.reload();
  assert.equal(tab.session.status === 'anonymous' && tab.session.reason, 'cookie_blocked', 'a look that finds nobody does not forget it');
  assert.equal(attempts.length, 0);
  assert.equal(world.server.count(START), 1);
  world.server.keepsCookies = true;
  await tab.login();
  assert.equal(world.left.length, 1, 'allowed meanwhile');
});

test('a browser with cookies switched off is known at the first look', async (t) => {
  const world = new World(t, { cookies: false });
  const tab = await world.tab();
  assert.deepEqual(tab.session, { status: 'anonymous', reason: 'cookie_blocked' });
});

test('a handler that does not know the question is not suspected', async (t) => {
  const world = new World(t);
  const tab = await world.tab();
  world.server.once('GET /oauth-agent/session', () => new Response('{"is_logged_in":false}', { headers: { 'content-type': 'application/json' } }));
  await tab.login();
  assert.equal(world.left.length, 1);
  world.server.once('GET /oauth-agent/session', () => {
    throw new TypeError('Failed to fetch');
  });
  await tab.login();
  assert.equal(world.left.length, 2);
});

test('the page is left for http and https only', async (t) => {
  const world = new World(t);
  const tab = await world.tab();
  for (const url of ['javascript:alert(1)', 'data:text/html,x', 7, undefined]) {
    world.server.once(START, () => new Response(JSON.stringify({ authorization_url: url }), { headers: { 'content-type': 'application/json' } }));
    await assert.rejects(tab.login(), { code: 'unexpected_answer' });
  }
  assert.deepEqual(world.left, []);
});

test('a sign-in that failed is told once, as an error, and leaves the address bar', async (t) => {
  const world = new World(t, { href: 'https://shop.example.com/a?x=1&login_error=authorization_error&request_id=r-1&provider_error=access_denied#z' });
  const error = takeLoginError();
  assert.deepEqual([error?.code, error?.requestId, error?.providerError], ['authorization_error', 'r-1', 'access_denied']);
  assert.equal(world.location.href, 'https://shop.example.com/a?x=1#z');
  assert.equal(takeLoginError(), null);
});

test('free text in such a link is not passed on: anyone can write one', async (t) => {
  const world = new World(t, { href: 'https://shop.example.com/?login_error=Call+this+number&request_id=<b>&provider_error=x' });
  const error = takeLoginError();
  assert.deepEqual([error?.code, error?.requestId, error?.providerError], ['unknown', '', 'x']);
  assert.equal(world.location.search, '');
});

test('a sign-out without a session, or at a provider that has no such page, stays here', async (t) => {
  const world = new World(t);
  const tab = await world.tab();
  assert.deepEqual(await tab.logout(), { leaving: false });
  world.server.signIn();
  await tab.reload();
  assert.deepEqual(await tab.logout(), { leaving: true });
});

test('a sign-out that could not be done leaves the session as it is and says so', async (t) => {
  const world = new World(t);
  world.server.signIn();
  const tab = await world.tab();
  world.server.offline = true;
  await assert.rejects(tab.logout(), { code: 'network_error' });
  assert.equal(tab.session.status, 'authenticated');
});
