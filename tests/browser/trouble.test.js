/** Browsers that lack something, and networks that go away in the middle. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answerTo, at, launch, ourCookies, person, picture, reads, signIn, signedIn, signedOut, startDemo, toTheProvider } from './demo.js';

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

test('a network that goes away during a refresh costs nobody the session', async (t) => {
  const alice = await person(browser);
  t.after(alice.close);
  const page = await alice.page();
  await signIn(page, demo);
  const before = await ourCookies(alice.context, demo);
  await alice.context.setOffline(true);
  await at(page, 'refresh-now').click();
  await reads(page, '#clock-problem', /No answer\. Is the server still running\?.*network_error/);
  assert.equal(await at(page, 'sign-out').isVisible(), true);
  assert.deepEqual(await ourCookies(alice.context, demo), before);
  await alice.context.setOffline(false);
  const refreshed = await answerTo(page, '/oauth-agent/refresh', () => at(page, 'refresh-now').click());
  assert.equal(refreshed.status(), 200);
  await reads(page, '#clock-problem', '');
});

test('an answer to a refresh that is lost on the way: the next one is given the same result', async (t) => {
  const alice = await person(browser);
  t.after(alice.close);
  const page = await alice.page();
  await signIn(page, demo);
  await page.route('**/oauth-agent/refresh', async (route) => {
    await route.fetch({ maxRetries: 0 }); // the server has renewed, the browser never learns
    await route.abort();
  }, { times: 1 });
  await at(page, 'refresh-now').click();
  await reads(page, '#clock-problem', /network_error/);
  const answer = await answerTo(page, '/api/echo', () => at(page, 'call-api').click());
  assert.equal(answer.status(), 200);
  assert.equal(await at(page, 'sign-out').isVisible(), true);
});

for (const [what, days] of /** @type {const} */ ([['ahead', 1], ['behind', -1]])) {
  test(`a clock that is a day ${what} changes nothing`, async (t) => {
    const alice = await person(browser);
    t.after(alice.close);
    await alice.context.addInitScript((off) => {
      const now = Date.now.bind(Date);
      Date.now = () => now() + off;
    }, days * 86_400_000);
    const page = await alice.page();
    await signIn(page, demo);
    await reads(page, '#countdown', /^(2:00|1:5\d)$/);
    const answer = await answerTo(page, '/api/echo', () => at(page, 'call-api').click());
    assert.equal(answer.status(), 200);
    alice.calm();
  });
}

test('a browser without locks, channels, storage and timeouts signs in, calls, refreshes and signs out', async (t) => {
  const alice = await person(browser);
  t.after(alice.close);
  await alice.context.addInitScript(() => {
    const none = { configurable: true, get: () => undefined };
    const insecure = { configurable: true, get: () => { throw new DOMException('insecure', 'SecurityError'); } };
    Object.defineProperty(Navigator.prototype, 'locks', none);
    for (const name of ['BroadcastChannel', 'cookieStore', 'caches']) Object.defineProperty(window, name, none);
    for (const name of ['localStorage', 'sessionStorage', 'indexedDB']) Object.defineProperty(window, name, insecure);
    Object.defineProperty(AbortSignal, 'timeout', { value: undefined });
  });
  const page = await alice.page();
  await signIn(page, demo);
  for (const path of ['/api/echo', '/api/echo']) assert.equal((await answerTo(page, path, () => at(page, 'call-api').click())).status(), 200);
  assert.equal((await answerTo(page, '/oauth-agent/refresh', () => at(page, 'refresh-now').click())).status(), 200);
  await reads(page, '#announcer', 'The access token was renewed.');
  await at(page, 'sign-out').click();
  await signedOut(page);
  alice.calm();
});

test('a browser that drops the login cookie is told before it leaves, and the page says what to do', async (t) => {
  const alice = await person(browser);
  t.after(alice.close);
  const page = await alice.page();
  await page.route('**/oauth-agent/login/start', async (route) => {
    await route.fetch();
    await alice.context.clearCookies(); // as if `Set-Cookie` had been refused
    await route.fulfill({ json: { authorization_url: 'http://127.0.0.1:1/never' } });
  }, { times: 1 });
  await page.goto(demo.address);
  await signedOut(page);
  await at(page, 'sign-in').click();
  await reads(page, '#session-problem', /Cookies are blocked.*cookie_blocked/);
  await reads(page, '#status-detail', /does not keep the cookies/);
  assert.equal(new URL(page.url()).origin, demo.origin);
  await picture(page, '13-cookie-blocked');
  await toTheProvider(page); // allowed meanwhile
});

test('a page that comes back by the back button shows nobody else’s data', async (t) => {
  const alice = await person(browser);
  t.after(alice.close);
  const page = await alice.page();
  await signIn(page, demo);
  await at(page, 'call-orders').click();
  await at(page, 'api-status').waitFor();
  await page.goto('about:blank');
  const other = await alice.page();
  await other.goto(demo.address);
  await signedIn(other);
  await at(other, 'sign-out').click();
  await signedOut(other);
  await page.goBack();
  await signedOut(page);
  assert.doesNotMatch((await at(page, 'api-result').textContent()) ?? '', /duffle coat/);
});

test('the first page load makes one call to the agent, and none of it is red', async (t) => {
  const nobody = await person(browser);
  t.after(nobody.close);
  const page = await nobody.page();
  /** @type {string[]} */
  const calls = [];
  page.on('request', (request) => new URL(request.url()).pathname.startsWith('/oauth-agent/') && calls.push(new URL(request.url()).pathname));
  await page.goto(demo.address);
  await signedOut(page);
  assert.deepEqual(calls, ['/oauth-agent/session']);
  nobody.calm();
});

test('two people in two profiles do not meet', async (t) => {
  const [alice, bob] = [await person(browser), await person(browser)];
  t.after(alice.close);
  t.after(bob.close);
  const [hers, his] = [await alice.page(), await bob.page()];
  await signIn(hers, demo);
  await signIn(his, { ...demo, user: 'bob' });
  await at(his, 'sign-out').click();
  await signedOut(his);
  await hers.reload();
  await signedIn(hers);
  assert.match((await at(hers, 'user-name').textContent()) ?? '', /Alice/);
});
