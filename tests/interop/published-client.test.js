/**
 * The wire protocol of the published browser client (`@curity/token-handler-js-assistant` 1.2): the provider comes back
 * to a page of the SPA, which posts its query string to `login/end`; every body is a form, an empty one included;
 * every answer is JSON under exactly `application/json`. Contract §3.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserAgent } from '../support/user-agent.js';
import { VERSION, call, consent, session, startWorld } from './world.js';

/** As the client asks. @param {import('./world.js').World} world @param {UserAgent} browser @param {string} method @param {string} path */
async function ask(world, browser, method, path, form = method === 'POST' ? new URLSearchParams() : undefined) {
  const answer = await browser.fetch(world.page, `${world.agent}/${path}`, { method, headers: { ...VERSION, accept: 'application/json' }, form });
  assert.equal(answer.headers['content-type'], 'application/json', path);
  return { status: answer.status, body: answer.json(), answer };
}

test('the published client signs in, refreshes and signs out', async (t) => {
  const world = await startWorld({ callback: '/app/signed-in' });
  t.after(world.stop);
  const browser = new UserAgent();

  const before = await ask(world, browser, 'GET', 'session');
  assert.deepEqual([before.status, before.body.is_logged_in], [200, false]);

  const begun = await ask(world, browser, 'POST', 'login/start');
  assert.equal(begun.status, 200);
  const authorization = new URL(begun.body.authorization_url);
  assert.equal(authorization.searchParams.get('redirect_uri'), `${world.origin}/app/signed-in`);

  const page = await consent(world, browser, authorization.href, 'alice');
  const { pathname, searchParams } = new URL(page.location ?? '');
  assert.equal(pathname, '/app/signed-in');
  assert.ok(searchParams.has('code') && searchParams.has('state'));

  const ended = await ask(world, browser, 'POST', 'login/end', searchParams);
  assert.equal(ended.status, 200, ended.answer.text);
  assert.equal(ended.body.is_logged_in, true);
  assert.equal(ended.body.id_token_claims.sub, 'alice');
  assert.ok(ended.body.access_token_expires_in > 3500);
  assert.equal((await call(world, browser)).status, 200);
  assert.equal(world.api.bearer(), world.provider.newest()?.access_token);

  const again = await ask(world, browser, 'POST', 'login/end', searchParams);
  assert.deepEqual([again.status, again.body.error_code], [400, 'login_state_invalid'], 'a reload posts the same query once more');
  assert.equal(world.provider.tokenRequests.length, 1);
  assert.equal((await session(world, browser)).is_logged_in, true, 'and costs nobody the session');

  const refreshed = await ask(world, browser, 'POST', 'refresh');
  assert.equal(refreshed.status, 200);
  assert.ok(refreshed.body.access_token_expires_in > 3500);

  const out = await ask(world, browser, 'POST', 'logout');
  assert.equal(out.status, 200);
  assert.equal(typeof out.body.logout_url, 'string');
  assert.equal((await ask(world, browser, 'GET', 'session')).body.is_logged_in, false);

  const refused = await ask(world, browser, 'POST', 'refresh');
  assert.equal(refused.status, 401);
  assert.equal(typeof refused.body.error_code, 'string');
  assert.equal(typeof refused.body.detailed_error, 'string');
});

test('an error of the provider reaches the published client as an error', async (t) => {
  const world = await startWorld({ callback: '/app/signed-in' });
  t.after(world.stop);
  const browser = new UserAgent();
  const begun = await ask(world, browser, 'POST', 'login/start', new URLSearchParams({ prompt: 'none' }));
  const page = await browser.navigate(begun.body.authorization_url, { from: world.page, stop: (url) => url.origin === world.origin });
  const { searchParams } = new URL(page.location ?? '');
  assert.equal(searchParams.get('error'), 'login_required');
  const ended = await ask(world, browser, 'POST', 'login/end', searchParams);
  assert.deepEqual([ended.status, ended.body.error_code, ended.body.provider_error], [400, 'authorization_error', 'login_required']);
  assert.deepEqual(browser.jar.names('localhost'), [], 'the login is over, its cookie is cleared');
});
