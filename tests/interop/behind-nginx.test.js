/** Behind a gateway: every cookie passes, the client's address is counted from the right. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startNginx } from './nginx.js';
import { call, post, session, signIn, startWorld } from './world.js';

test('login, calls, refresh and logout work behind nginx', async (t) => {
  const world = await startWorld({ gateway: startNginx, server: 'trusted_proxies = ["127.0.0.1/32"]' });
  t.after(world.stop);
  const { browser, callback } = await signIn(world);
  assert.ok(callback.setCookies.length >= 4, 'three cookies of the session and the cleared one of the login pass one by one');
  assert.equal((await session(world, browser)).is_logged_in, true);

  const answer = await call(world, browser, { headers: { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-host': 'evil.example' } });
  assert.equal(answer.status, 200, answer.text);
  const reached = world.api.calls.at(-1) ?? assert.fail();
  assert.equal(world.api.bearer(reached), world.provider.newest()?.access_token);
  assert.equal(reached.headers['x-forwarded-host'] ?? new URL(world.origin).host, new URL(world.origin).host, 'written anew');
  // 127.0.0.1 is both nginx and, trusted as a proxy, the client: the address before it is what nginx vouches for.
  assert.doesNotMatch(JSON.stringify(reached.headers), /evil\.example/);

  assert.equal((await post(world, browser, 'refresh')).status, 200);
  assert.equal((await call(world, browser)).status, 200);
  assert.equal((await post(world, browser, 'logout')).status, 200);
  assert.equal((await session(world, browser)).is_logged_in, false);
});
