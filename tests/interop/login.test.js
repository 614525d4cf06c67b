/** Login against a real provider, once for each way to authenticate the client. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from '../support/cookie-jar.js';
import { UserAgent } from '../support/user-agent.js';
import { BASIC, POST } from './provider.js';
import { VERSION, call, consent, session, signIn, startWorld } from './world.js';

const SESSION_COOKIES = ['__Host-Http-shop-at', '__Host-Http-shop-id', '__Host-Http-shop-rt'];

for (const { client, auth } of [
  { client: BASIC, auth: 'client_secret_basic' },
  { client: POST, auth: 'client_secret_post' },
]) {
  test(`a login by ${auth} ends in a session whose calls carry the bearer token and no cookie`, async (t) => {
    const world = await startWorld({ client, auth });
    t.after(world.stop);

    const { browser, begun, callback } = await signIn(world, { start: { return_to: '/cart?item=7' } });

    const request = new URL(begun.json().authorization_url).searchParams;
    assert.equal(request.get('response_type'), 'code');
    assert.equal(request.get('client_id'), client.id);
    assert.equal(request.get('redirect_uri'), `${world.agent}/callback`);
    assert.equal(request.get('code_challenge_method'), 'S256', 'RFC 7636 §4.3');
    for (const name of ['state', 'nonce', 'code_challenge']) assert.ok(request.get(name), name);
    assert.ok(request.get('scope')?.split(' ').includes('openid'));
    assert.match(begun.headers['content-type'] ?? '', /^application\/json$/);
    assert.match(begun.headers['cache-control'] ?? '', /no-store/);
    const [login] = begun.setCookies.map((line) => parse(new URL(world.origin), line));
    assert.match(login.name, /^__Host-Http-shop-login-[0-9a-f]{8}$/);
    assert.equal(login.sameSite, 'Lax', 'the provider leads back from another site');

    assert.equal(callback.status, 303);
    assert.equal(new URL(callback.location ?? '', world.origin).href, `${world.origin}/cart?item=7`);
    for (const name of SESSION_COOKIES) {
      const line = callback.setCookies.find((set) => set.startsWith(`${name}=`)) ?? assert.fail(`no ${name}`);
      assert.match(line, /;\s*Path=\/(;|$)/i);
      assert.match(line, /;\s*Secure(;|$)/i);
      assert.match(line, /;\s*HttpOnly(;|$)/i);
      assert.match(line, /;\s*SameSite=Strict(;|$)/i);
      assert.doesNotMatch(line, /;\s*(Domain|Max-Age|Expires)=/i);
    }
    assert.deepEqual(browser.jar.names('localhost'), SESSION_COOKIES, 'the login cookie is gone, no chunk is left over');

    const [redeemed] = world.provider.tokenRequests;
    assert.equal(world.provider.tokenRequests.length, 1);
    assert.deepEqual([redeemed.grant, redeemed.status], ['authorization_code', 200]);
    assert.equal(redeemed.basic, auth === 'client_secret_basic');
    assert.equal('client_secret' in redeemed.params, auth === 'client_secret_post', 'RFC 6749 §2.3: one method, not two');
    assert.ok(redeemed.params.code_verifier, 'RFC 7636 §4.5');

    const known = await session(world, browser);
    assert.equal(known.is_logged_in, true);
    assert.equal(known.id_token_claims.sub, 'alice');
    for (const hidden of ['nonce', 'at_hash', 'c_hash', 's_hash', 'sid']) assert.equal(known.id_token_claims[hidden], undefined, hidden);
    assert.ok(known.access_token_expires_in > 3500 && known.access_token_expires_in <= 3600, `${known.access_token_expires_in}`);

    browser.jar.take(new URL(world.origin), 'theme=dark; Path=/');
    const answer = await call(world, browser, { path: '/api/orders?page=2', headers: { authorization: 'Bearer of-the-browser' } });
    assert.equal(answer.status, 200, answer.text);
    const reached = world.api.calls.at(-1) ?? assert.fail('nothing reached the API');
    assert.equal(reached.path, '/api/orders?page=2');
    assert.equal(reached.authorizations, 1);
    assert.equal(world.api.bearer(reached), world.provider.newest()?.access_token);
    assert.equal(reached.headers.cookie, 'theme=dark', 'ours are taken out, other cookies are kept');
    assert.equal(reached.headers['token-handler-version'], undefined);
    if (client === POST) assert.equal(world.api.bearer(reached)?.split('.').length, 3, 'a JWT');

    const everything = browser.history.filter((seen) => seen.url.startsWith(world.origin)).map((seen) => seen.text + JSON.stringify(seen.headers)).join();
    const { access_token, refresh_token, id_token } = world.provider.newest() ?? {};
    for (const [name, token] of Object.entries({ access_token, refresh_token, id_token })) {
      assert.ok(token, name);
      assert.ok(!everything.includes(token), `${name} reached the browser`);
      assert.ok(!world.server.output.includes(token), `${name} is in the log`);
    }
  });
}

test('userinfo gives the claims of the person who signed in', async (t) => {
  const world = await startWorld();
  t.after(world.stop);
  const { browser } = await signIn(world, { user: 'bob' });
  const answer = await browser.fetch(world.page, `${world.agent}/userinfo`, { headers: VERSION });
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(answer.json(), { sub: 'bob', name: 'bob of the test', preferred_username: 'bob' });
});

test('a login by navigation leads to the provider and back', async (t) => {
  const world = await startWorld();
  t.after(world.stop);
  const browser = new UserAgent();
  const callback = await consent(world, browser, `${world.agent}/login?return_to=%2Forders`, 'alice');
  assert.equal(callback.status, 303);
  assert.equal(new URL(callback.location ?? '', world.origin).href, `${world.origin}/orders`);
  assert.equal((await session(world, browser)).is_logged_in, true);
});

test('a callback that comes twice redeems nothing and leaves the session alone', async (t) => {
  const world = await startWorld();
  t.after(world.stop);
  const { browser, begun, callback } = await signIn(world);
  const again = await browser.navigate(callback.url, { from: world.provider.issuer, stop: () => true });
  assert.equal(again.status, 303);
  const sorry = new URL(again.location ?? '', world.origin);
  assert.equal(sorry.pathname, '/sorry');
  assert.equal(sorry.searchParams.get('login_error'), 'login_state_invalid');
  assert.ok(sorry.searchParams.get('request_id'));
  assert.deepEqual(again.setCookies, []);
  assert.equal(world.provider.tokenRequests.length, 1, 'no token request for a replay');
  assert.equal((await session(world, browser)).is_logged_in, true);

  // The thief's copy: the login cookie as it was before it was used, with the address of the callback.
  const thief = new UserAgent();
  begun.setCookies.forEach((line) => thief.jar.take(new URL(world.origin), line));
  const stolen = await thief.navigate(callback.url, { from: world.provider.issuer, stop: () => true });
  assert.equal(new URL(stolen.location ?? '', world.origin).searchParams.get('login_error'), 'login_state_invalid');
  assert.equal(world.provider.tokenRequests.length, 1, 'state is used once, also by a copied login cookie');
  assert.equal((await session(world, thief)).is_logged_in, false);
});

test('saying no at the provider leads to the error page with the provider’s code', async (t) => {
  const world = await startWorld();
  t.after(world.stop);
  const browser = new UserAgent();
  const begun = await browser.fetch(world.page, `${world.agent}/login/start`, { method: 'POST', headers: VERSION, json: {} });
  const page = await browser.navigate(begun.json().authorization_url, { from: world.page });
  const no = await browser.navigate(`${page.url}/abort`, {
    from: page.url,
    stop: (url) => url.origin === world.origin && !url.pathname.endsWith('/callback'),
  });
  assert.equal(no.status, 303);
  const sorry = new URL(no.location ?? '', world.origin);
  assert.equal(sorry.pathname, '/sorry');
  assert.equal(sorry.searchParams.get('login_error'), 'authorization_error');
  assert.equal(sorry.searchParams.get('provider_error'), 'access_denied');
  assert.equal(world.provider.tokenRequests.length, 0);
  assert.equal((await session(world, browser)).is_logged_in, false);
});

test('a call without a session is refused and reaches nobody', async (t) => {
  const world = await startWorld();
  t.after(world.stop);
  const browser = new UserAgent();
  const answer = await call(world, browser);
  assert.equal(answer.status, 401);
  assert.equal(answer.headers['token-handler-error'], 'session_missing');
  assert.equal(answer.json().error_code, 'session_missing');
  const forged = await browser.fetch(world.page, '/api/orders');
  assert.deepEqual([forged.status, forged.headers['token-handler-error']], [403, 'csrf_rejected']);
  assert.equal(world.api.calls.length, 0);
});
