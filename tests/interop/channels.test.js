/** Logouts that begin at the provider: it tells us itself (back channel), or has a browser tell us (front channel). */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserAgent } from '../support/user-agent.js';
import { call, session, signIn, startWorld } from './world.js';

/** @typedef {import('./world.js').World} World */

/** Signs out at the provider's own page, without a word to the app. @param {World} world @param {UserAgent} browser */
async function signOutAtTheProvider(world, browser) {
  const question = await browser.navigate(`${world.provider.issuer}/session/end`, { from: world.page });
  assert.equal(question.status, 200, question.text);
  return browser.submit(question, { logout: 'yes' });
}

/** A saved cookie is worth nothing any more, and says why. @param {World} world @param {UserAgent} saved @param {string} reason */
async function isOver(world, saved, reason) {
  const calls = world.api.calls.length;
  const refused = await call(world, saved);
  assert.equal(refused.status, 401);
  assert.equal(refused.headers['token-handler-error'], 'session_revoked');
  assert.deepEqual(refused.setCookies, [], 'a 401 for a revoked session leaves the jar alone');
  assert.equal(world.api.calls.length, calls, 'nothing was forwarded');
  assert.deepEqual(await session(world, saved), { is_logged_in: false, reason });
}

/** What the newest ID token claims. @param {World} world */
function claims(world) {
  const { id_token: token } = world.provider.newest() ?? assert.fail();
  return JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
}

for (const typ of ['any', 'required']) {
  test(`a logout at the provider ends the session here (typ: ${typ})`, async (t) => {
    const world = await startWorld({ registration: `logout_token_typ = "${typ}"` });
    t.after(world.stop);
    const { browser } = await signIn(world, { user: 'alice' });
    const elsewhere = (await signIn(world, { user: 'alice' })).browser;
    const bob = (await signIn(world, { user: 'bob' })).browser;
    const saved = browser.twin();
    assert.equal((await call(world, saved)).status, 200);

    await signOutAtTheProvider(world, browser);

    assert.deepEqual(world.provider.told, ['ok'], 'the provider was answered 200');
    await isOver(world, browser, 'revoked');
    await isOver(world, saved, 'revoked');
    assert.equal((await call(world, elsewhere)).status, 200, 'another session of hers at the provider, another `sid`');
    assert.equal((await call(world, bob)).status, 200);

    await signIn(world, { user: 'alice', browser });
    assert.equal((await call(world, browser)).status, 200, 'who signs in again is in');
  });
}

test('a frame of the provider ends the session by its sid', async (t) => {
  const world = await startWorld();
  t.after(world.stop);
  const { browser } = await signIn(world, { user: 'alice' });
  const { iss, sid } = claims(world);
  const bob = (await signIn(world, { user: 'bob' })).browser;
  const saved = browser.twin();
  const frame = (/** @type {Record<string, string>} */ query) => fetch(`${world.agent}/frontchannel-logout?${new URLSearchParams(query)}`);

  for (const query of [{}, { iss }, { sid }, { iss, sid: `${sid}x` }, { iss: `${iss}/`, sid }]) {
    assert.equal((await frame(query)).status, 200);
  }
  assert.equal((await call(world, saved)).status, 200);

  const answer = await frame({ iss, sid });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  assert.match(answer.headers.get('content-security-policy') ?? '', new RegExp(`frame-ancestors ${world.provider.issuer}$`));
  await isOver(world, browser, 'logged_out');
  await isOver(world, saved, 'logged_out');
  assert.equal((await call(world, bob)).status, 200);
  assert.equal(world.provider.revocations.length, 0, 'whoever asks is nobody: no token is revoked');
});
