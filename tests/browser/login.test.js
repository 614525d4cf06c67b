/** Sign-ins that go another way than the straight one. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { at, fillIn, launch, listen, ourCookies, person, picture, signIn, signedIn, signedOut, startDemo, toTheProvider } from './demo.js';

/** @type {import('./demo.js').Demo} */
let demo;
/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
  demo = await startDemo();
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

test('a wrong password shows the form again, and the right one then works', async (t) => {
  const alice = await person(browser);
  t.after(alice.close);
  const page = await alice.page();
  await page.goto(demo.address);
  await toTheProvider(page);
  await fillIn(page, demo.user, `not-${demo.password}`);
  await page.locator('input[name=password]').waitFor();
  assert.notEqual(new URL(page.url()).origin, demo.origin);
  assert.doesNotMatch(page.url(), /password|not-/, 'the form posts');
  assert.equal(await page.locator('input[name=password]').inputValue(), '', 'a password is not sent back');
  await picture(page, '11-wrong-password');
  await fillIn(page, demo.user, demo.password);
  await signedIn(page);
  assert.equal(new URL(page.url()).origin, demo.origin);
});

test('two tabs that sign in at once both end signed in', async (t) => {
  const alice = await person(browser);
  t.after(alice.close);
  const [one, two] = [await alice.page(), await alice.page()];
  await Promise.all([one.goto(demo.address), two.goto(demo.address)]);
  await Promise.all([one, two].map(toTheProvider));
  const pending = (await ourCookies(alice.context, demo)).map((cookie) => cookie.name);
  assert.equal(pending.length, 2, `one login cookie each: ${pending}`);
  await fillIn(one, demo.user, demo.password);
  await signedIn(one);
  await fillIn(two, demo.user, demo.password);
  await signedIn(two);
  for (const page of [one, two]) {
    await at(page, 'call-api').click();
    await at(page, 'api-result').getByText('200').first().waitFor();
  }
  const left = (await ourCookies(alice.context, demo)).map((cookie) => cookie.name);
  assert.ok(!left.some((name) => name.includes('-login-')), `${left}`);
  alice.calm();
});

test('every cookie is kept with the attributes of the contract and none is refused', async (t) => {
  const alice = await person(browser);
  t.after(alice.close);
  const page = await alice.page();
  const network = await listen(page);
  await page.goto(demo.address);
  await toTheProvider(page);
  const [login, ...more] = await ourCookies(alice.context, demo);
  assert.deepEqual(more, []);
  assert.match(login.name, /^__Host-Http-[a-z0-9-]{1,16}-login-[0-9a-f]{8}$/);
  assert.deepEqual(
    { httpOnly: login.httpOnly, secure: login.secure, sameSite: login.sameSite, path: login.path },
    { httpOnly: true, secure: true, sameSite: 'Lax', path: '/' },
  );
  const lives = login.expires - Date.now() / 1000;
  assert.ok(lives > 540 && lives <= 600, `lives ${lives} s`);
  assert.ok(login.name.length + login.value.length <= 2048, 'contract §4: at most 2 KiB');

  await fillIn(page, demo.user, demo.password);
  await signedIn(page);

  const cookies = await ourCookies(alice.context, demo);
  const app = /^__Host-Http-(.+)-at$/.exec(cookies[0].name)?.[1] ?? assert.fail(cookies[0].name);
  assert.match(app, /^[a-z0-9-]{1,16}$/);
  assert.deepEqual(cookies.map((cookie) => cookie.name), ['at', 'id', 'rt'].map((kind) => `__Host-Http-${app}-${kind}`));
  for (const { name, value, httpOnly, secure, sameSite, path, expires, domain } of cookies) {
    assert.deepEqual({ httpOnly, secure, sameSite, path }, { httpOnly: true, secure: true, sameSite: 'Strict', path: '/' }, name);
    assert.equal(expires, -1, `${name} ends with the browser session`);
    assert.ok(!domain.startsWith('.'), `${name} has no Domain`);
    assert.ok(name.length + value.length <= 4096, name);
    assert.doesNotMatch(value, /^eyJ/, 'sealed, not a JWT');
  }
  assert.equal(await page.evaluate(() => document.cookie), '');
  await network.atLeast(1, (hop) => hop.url.pathname === '/oauth-agent/callback');
  assert.deepEqual(network.hops().flatMap((hop) => hop.refused), [], 'cookies that the browser refused');
});

test('the Strict cookies stay at home on the way back from the provider, the login cookie travels', async (t) => {
  const alice = await person(browser);
  t.after(alice.close);
  const page = await alice.page();
  await signIn(page, demo);
  // A second sign-in while a session is there: by navigation, so that the page needs no button for it.
  const network = await listen(page);
  await page.goto(`${demo.origin}/oauth-agent/login?prompt=login&return_to=%2Fwho`);
  await page.locator('input[name=username]').waitFor();
  await fillIn(page, demo.user, demo.password);
  await signedIn(page);
  assert.equal(new URL(page.url()).pathname, '/who');
  const [callback] = await network.atLeast(1, (hop) => hop.url.pathname === '/oauth-agent/callback');
  assert.ok(callback, 'no callback');
  assert.ok(callback.sent.some((name) => name.includes('-login-')), `sent: ${callback.sent}`);
  const kept = callback.keptBack.filter(({ name }) => /-(at|rt|id)$/.test(name));
  assert.equal(kept.length, 3, JSON.stringify(kept));
  for (const { name, reasons } of kept) assert.ok(reasons.some((reason) => reason.endsWith('SameSiteStrict')), `${name}: ${reasons}`);
});

test('a callback that nobody started is told in the page and signs nobody in', async (t) => {
  const mallory = await person(browser);
  t.after(mallory.close);
  const page = await mallory.page();
  await page.goto(`${demo.origin}/oauth-agent/callback?code=forged&state=forged`);
  await at(page, 'login-error').waitFor({ state: 'visible' });
  await signedOut(page);
  assert.doesNotMatch(page.url(), /login_error|forged/, 'the story is out of the address bar');
  assert.match((await at(page, 'login-error').textContent()) ?? '', /login_state_invalid/);
  await picture(page, '12-login-error');
  mallory.calm();
});

test('a name that is not the demo’s own gets no page', async () => {
  const { port } = new URL(demo.origin);
  const http = await import('node:http');
  const status = await new Promise((resolve, reject) => {
    http.get({ host: '127.0.0.1', port, headers: { host: `rebound.example:${port}` } }, (r) => resolve(r.resume().statusCode)).once('error', reject);
  });
  assert.equal(status, 404, 'DNS rebinding: contract §11');
});
