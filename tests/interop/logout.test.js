/** Logout: here, at the provider (revocation), and for the provider's own session (RP-initiated logout). */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserAgent } from '../support/user-agent.js';
import { BASIC, POST } from './provider.js';
import { VERSION, call, post, session, signIn, startWorld } from './world.js';

for (const { client, auth } of [
  { client: BASIC, auth: 'client_secret_basic' },
  { client: POST, auth: 'client_secret_post' },
]) {
  test(`logout by ${auth} ends the session here and at the provider`, async (t) => {
    const world = await startWorld({ client, auth });
    t.after(world.stop);
    const { browser } = await signIn(world);
    const { access_token: accessToken, refresh_token: refreshToken, id_token: idToken } = world.provider.newest() ?? assert.fail();
    assert.equal(await world.provider.isActive(client, refreshToken), true);
    const copy = browser.twin();

    const answer = await post(world, browser, 'logout');

    assert.equal(answer.status, 200, answer.text);
    assert.ok(!answer.text.includes(idToken), 'the ID token travels only in the redirect of end-session');
    assert.deepEqual(browser.jar.names('localhost').filter((name) => !name.endsWith('-end')), []);
    assert.equal((await session(world, browser)).is_logged_in, false);

    const refused = await call(world, copy);
    assert.equal(refused.status, 401);
    assert.equal(refused.headers['token-handler-error'], 'session_revoked');
    assert.deepEqual(refused.setCookies, [], 'a 401 for a revoked session leaves the jar alone');
    assert.equal(world.api.calls.length, 0);
    assert.equal((await post(world, copy, 'refresh')).status, 401, 'the old refresh token is not taken either');
    const ended = await session(world, copy);
    assert.deepEqual([ended.is_logged_in, ended.reason], [false, 'logged_out']);

    assert.equal(await world.provider.isActive(client, refreshToken), false, 'RFC 7009');
    // A JWT cannot be revoked at this provider, an opaque token can.
    if (client === BASIC) assert.equal(await world.provider.isActive(client, accessToken), false);
    assert.equal(world.provider.tokenRequests.length, 1);

    const address = new URL(answer.json().logout_url, world.origin);
    assert.equal(`${address.origin}${address.pathname}`, `${world.agent}/end-session`);
    const out = await browser.navigate(address.href, { from: world.page, stop: (url) => url.origin === world.provider.issuer });
    assert.equal(out.status, 303);
    const end = new URL(out.location ?? '');
    assert.equal(`${end.origin}${end.pathname}`, `${world.provider.issuer}/session/end`);
    assert.equal(end.searchParams.get('id_token_hint'), idToken);
    assert.equal(end.searchParams.get('client_id'), client.id);
    assert.equal(end.searchParams.get('post_logout_redirect_uri'), `${world.agent}/logged-out`);
    assert.ok(end.searchParams.get('state'));
    assert.deepEqual(browser.jar.names('localhost'), [], 'what end-session needed is used up');

    const question = await browser.navigate(end.href, { from: world.page });
    const back = await browser.submit(question, { logout: 'yes' }, { stop: (url) => url.pathname === '/bye' });
    const returned = new URL(back.url);
    assert.equal(`${returned.origin}${returned.pathname}`, `${world.agent}/logged-out`);
    assert.equal(returned.searchParams.get('state'), end.searchParams.get('state'));
    assert.equal(back.status, 303);
    assert.equal(new URL(back.location ?? '', world.origin).href, `${world.origin}/bye`);

    const again = await browser.fetch(world.page, `${world.agent}/login/start`, { method: 'POST', headers: VERSION, json: {} });
    const form = await browser.navigate(again.json().authorization_url, { from: world.page });
    assert.match(form.text, /name="password"/, 'the provider asks for the password again');
  });
}

test('end-session answers once', async (t) => {
  const world = await startWorld();
  t.after(world.stop);
  const { browser } = await signIn(world);
  const { id_token: idToken } = world.provider.newest() ?? assert.fail();
  const { logout_url: address } = (await post(world, browser, 'logout')).json();
  const before = browser.twin();
  const away = (/** @type {URL} */ url) => url.origin === world.provider.issuer;
  const out = await browser.navigate(new URL(address, world.origin).href, { from: world.page, stop: away });
  assert.ok(out.location?.includes(idToken));
  for (const other of [browser, before]) {
    const second = await other.navigate(new URL(address, world.origin).href, { from: world.page, stop: () => true });
    assert.ok(!second.location?.includes(idToken), 'the ID token is not handed out a second time');
  }
});

test('logout without a session is no error and asks nobody', async (t) => {
  const world = await startWorld();
  t.after(world.stop);
  const answer = await post(world, new UserAgent(), 'logout');
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(answer.json(), {});
  assert.equal(world.provider.revocations.length, 0);
});

test('a session of someone else lives on', async (t) => {
  const world = await startWorld();
  t.after(world.stop);
  const alice = (await signIn(world, { user: 'alice' })).browser;
  const bob = (await signIn(world, { user: 'bob' })).browser;
  await post(world, alice, 'logout');
  assert.equal((await session(world, alice)).is_logged_in, false);
  assert.equal((await session(world, bob)).id_token_claims.sub, 'bob');
  assert.equal((await call(world, bob)).status, 200);
});

test('a login replaces the session that the browser had', async (t) => {
  const world = await startWorld();
  t.after(world.stop);
  const { browser } = await signIn(world, { user: 'alice' });
  const old = browser.twin();
  await signIn(world, { user: 'alice', browser });
  assert.equal((await call(world, browser)).status, 200);
  const refused = await call(world, old);
  assert.equal(refused.status, 401, 'contract §4: the session that the browser had when the login started ends');
});

test('the server ends in order when it is told to', async (t) => {
  const world = await startWorld();
  t.after(world.stop);
  const { browser } = await signIn(world);
  await call(world, browser);
  assert.deepEqual(await world.server.stop(), { code: 0, signal: null });
});
