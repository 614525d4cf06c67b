/** Renewal against a provider that rotates refresh tokens and revokes the grant when an old one comes back. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BASIC, POST } from './provider.js';
import { call, post, session, signIn, startWorld } from './world.js';

/** Always within the 30 seconds in which the proxy renews (contract §5, step 7). */
const NEARLY_OVER = 20;

const refreshes = (/** @type {import('./world.js').World} */ world) =>
  world.provider.tokenRequests.filter((request) => request.grant === 'refresh_token');

for (const { client, auth } of [
  { client: BASIC, auth: 'client_secret_basic' },
  { client: POST, auth: 'client_secret_post' },
]) {
  test(`refresh by ${auth} rotates the refresh token and the API gets the new access token`, async (t) => {
    const world = await startWorld({ client, auth });
    t.after(world.stop);
    const { browser } = await signIn(world);
    const first = world.provider.newest() ?? assert.fail();

    world.provider.knobs.accessTokenLives = 2;
    const answer = await post(world, browser, 'refresh');
    world.provider.knobs.accessTokenLives = 3600;

    assert.equal(answer.status, 200, answer.text);
    const left = answer.json().access_token_expires_in;
    assert.ok(left >= 0 && left <= 2, `${left}`);
    const second = world.provider.newest() ?? assert.fail();
    assert.equal(refreshes(world).length, 1);
    assert.equal(refreshes(world)[0].params.refresh_token, first.refresh_token);
    assert.equal(refreshes(world)[0].basic, auth === 'client_secret_basic');
    assert.notEqual(second.refresh_token, first.refresh_token);
    assert.equal(await world.provider.isActive(client, first.refresh_token), false, 'the old one is used up');
    assert.equal(await world.provider.isActive(client, second.refresh_token), true);

    assert.equal((await call(world, browser)).status, 200);
    assert.equal(world.api.bearer(), world.provider.newest()?.access_token);
    assert.notEqual(world.api.bearer(), first.access_token);

    // The second access token runs out; the call that finds it so renews with the second refresh token.
    await world.server.until(async () => {
      assert.equal((await call(world, browser)).status, 200);
      return refreshes(world).length === 2;
    }, 'second renewal');
    assert.equal(refreshes(world)[1].params.refresh_token, second.refresh_token);
    assert.equal(world.api.bearer(), world.provider.newest()?.access_token);
    assert.equal((await session(world, browser)).is_logged_in, true);
  });
}

test('twenty calls at the moment of expiry ask the provider once and all reach the API', async (t) => {
  const world = await startWorld();
  t.after(world.stop);
  world.provider.knobs.accessTokenLives = NEARLY_OVER;
  const { browser } = await signIn(world);
  const first = world.provider.newest() ?? assert.fail();
  world.provider.knobs.accessTokenLives = 3600;
  const tab = browser.twin();

  // The provider holds its answer until all twenty have left the browser: none can be spared the race by being late.
  const allLeft = latch(20);
  world.provider.knobs.beforeToken = () => allLeft.opened;
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) => call(world, browser, { path: `/api/orders/${n}`, sent: allLeft.countDown })),
  );

  assert.deepEqual(answers.map((answer) => answer.status), Array(20).fill(200), answers.find((a) => a.status !== 200)?.text);
  assert.equal(refreshes(world).length, 1, 'one token request, however many calls wait');
  assert.deepEqual(new Set(world.api.calls.map((seen) => world.api.bearer(seen))), new Set([world.provider.newest()?.access_token]));

  // A tab that still holds the old cookies is given the new ones; the used-up refresh token is not sent again.
  const late = await call(world, tab);
  assert.equal(late.status, 200, late.text);
  assert.equal(refreshes(world).length, 1);
  assert.equal(world.api.bearer(), world.provider.newest()?.access_token);

  assert.equal((await call(world, browser)).status, 200);
  assert.equal((await session(world, browser)).is_logged_in, true);
  assert.equal(refreshes(world).length, 1);
  assert.equal(await world.provider.isActive(BASIC, world.provider.newest()?.refresh_token), true, 'the grant lives');
  assert.equal(await world.provider.isActive(BASIC, first.refresh_token), false);
});

test('eight refreshes at once ask the provider once', async (t) => {
  const world = await startWorld();
  t.after(world.stop);
  const { browser } = await signIn(world);
  const answers = await Promise.all(Array.from({ length: 8 }, () => post(world, browser, 'refresh')));
  assert.deepEqual(answers.map((answer) => answer.status), Array(8).fill(200), answers.find((a) => a.status !== 200)?.text);
  assert.equal(refreshes(world).length, 1);
  assert.equal((await session(world, browser)).is_logged_in, true);
});

test('with refresh = "spa" the proxy leaves an access token alone that has nearly run out', async (t) => {
  const world = await startWorld({ session: 'refresh = "spa"' });
  t.after(world.stop);
  world.provider.knobs.accessTokenLives = NEARLY_OVER;
  const { browser } = await signIn(world);
  assert.equal((await call(world, browser)).status, 200);
  assert.equal(refreshes(world).length, 0);
  assert.equal((await post(world, browser, 'refresh')).status, 200);
  assert.equal(refreshes(world).length, 1);
});

test('a grant revoked at the provider ends the session at the next renewal', async (t) => {
  const world = await startWorld();
  t.after(world.stop);
  const { browser } = await signIn(world);
  const { refresh_token: token } = world.provider.newest() ?? assert.fail();
  const credentials = [BASIC.id, BASIC.secret].map(encodeURIComponent).join(':');
  const revoked = await fetch(`${world.provider.issuer}/token/revocation`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
    body: new URLSearchParams({ token, token_type_hint: 'refresh_token' }),
  });
  assert.equal(revoked.status, 200);

  const answer = await post(world, browser, 'refresh');

  assert.deepEqual([answer.status, answer.headers['token-handler-error']], [401, 'session_expired']);
  assert.deepEqual(browser.jar.names('localhost'), [], 'a final invalid_grant clears the cookies (contract §4)');
  assert.equal((await session(world, browser)).is_logged_in, false);
});

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
