/** What a visitor of the demo does, from the first page to the sign-out, in a real browser. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answerTo, at, fillIn, launch, ourCookies, person, picture, signIn, signedIn, signedOut, startDemo, toTheProvider } from './demo.js';

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

test('a visitor signs in, calls the API, refreshes and signs out, and nothing turns red', async (t) => {
  const alice = await person(browser);
  t.after(alice.close);
  const page = await alice.page();

  await page.goto(demo.address);
  await signedOut(page);
  await picture(page, '01-signed-out');

  await toTheProvider(page);
  assert.notEqual(new URL(page.url()).origin, demo.origin, 'the provider is another origin, as in the world');
  await picture(page, '02-provider');
  await fillIn(page, demo.user, demo.password);
  await signedIn(page);
  assert.equal(new URL(page.url()).origin, demo.origin);
  assert.equal(new URL(page.url()).search, '', 'no code and no state stays in the address bar');
  assert.match((await at(page, 'user-name').textContent()) ?? '', /alice/i);
  await picture(page, '03-signed-in');
  await picture(page, 'ticket', '.ticket');

  const echo = await answerTo(page, '/api/echo', () => at(page, 'call-api').click());
  assert.equal(echo.status(), 200);
  const heard = await echo.json();
  assert.match(JSON.stringify(heard), /Bearer/, 'the API got a bearer token');
  assert.doesNotMatch(JSON.stringify(heard), /__Host-Http-/, 'and no cookie of ours');
  assert.doesNotMatch(JSON.stringify(heard), /eyJ[\w-]+\.[\w-]+\.[\w-]+/, 'which is not shown to the page');
  await at(page, 'api-result').getByText('200').first().waitFor();
  await picture(page, '04-api-echo');

  const orders = await answerTo(page, '/api/orders', () => at(page, 'call-orders').click());
  assert.equal(orders.status(), 200);
  await at(page, 'api-result').getByText('/api/orders').first().waitFor();
  await picture(page, '05-api-orders');

  const userinfo = await answerTo(page, '/oauth-agent/userinfo', () => at(page, 'userinfo').click());
  assert.equal(userinfo.status(), 200);
  assert.equal(typeof (await userinfo.json()).sub, 'string');
  await at(page, 'userinfo-result').getByText('email').first().waitFor();
  await picture(page, '06-userinfo');

  const cookiesBefore = await ourCookies(alice.context, demo);
  assert.match((await at(page, 'countdown').textContent()) ?? '', /^\d+:\d\d/);
  const refresh = await answerTo(page, '/oauth-agent/refresh', () => at(page, 'refresh-now').click());
  assert.equal(refresh.status(), 200);
  assert.ok((await refresh.json()).access_token_expires_in > 0);
  await at(page, 'refresh-now').and(page.locator(':enabled')).waitFor();
  const cookiesAfter = await ourCookies(alice.context, demo);
  for (const kind of ['at', 'rt', 'id']) {
    const value = (/** @type {typeof cookiesBefore} */ of) => of.find((cookie) => cookie.name.endsWith(`-${kind}`))?.value;
    assert.ok(value(cookiesAfter), kind);
    assert.notEqual(value(cookiesAfter), value(cookiesBefore), `${kind} was sealed anew`);
  }
  await picture(page, '07-refreshed');

  await at(page, 'sign-out').click();
  await signedOut(page);
  assert.equal(new URL(page.url()).origin, demo.origin, 'the provider leads back');
  assert.deepEqual(await ourCookies(alice.context, demo), []);
  await picture(page, '08-signed-out-again');

  alice.calm();
  await alice.context.addCookies(cookiesAfter);
  const stolen = await page.evaluate(() => fetch('/api/echo', { headers: { 'token-handler-version': '1' } }).then((r) => [r.status, r.headers.get('token-handler-error')]));
  assert.deepEqual(stolen, [401, 'session_revoked'], 'cookies kept from before are worth nothing');
  await alice.context.clearCookies({ name: /^__Host-Http-/ });

  await page.goto(demo.address);
  await toTheProvider(page);
});

test('the session survives a reload and is there in a second tab', async (t) => {
  const alice = await person(browser);
  t.after(alice.close);
  const page = await alice.page();
  await signIn(page, demo);
  await page.reload();
  await signedIn(page);
  const second = await alice.page();
  await second.goto(demo.address);
  await signedIn(second);
  const answer = await answerTo(second, '/api/echo', () => at(second, 'call-api').click());
  assert.equal(answer.status(), 200);
  alice.calm();
});

test('a sign-in from a deep link comes back to it', async (t) => {
  const alice = await person(browser);
  t.after(alice.close);
  const page = await alice.page();
  await signIn(page, demo, '/where?from=mail');
  const { pathname, search } = new URL(page.url());
  assert.equal(pathname + search, '/where?from=mail');
  await picture(page, '09-deep-link');
  alice.calm();
});

test('script finds no token anywhere in the page', async (t) => {
  const alice = await person(browser);
  t.after(alice.close);
  const page = await alice.page();
  await signIn(page, demo);
  await answerTo(page, '/api/echo', () => at(page, 'call-api').click());
  const found = await page.evaluate(async () => ({
    cookie: document.cookie,
    store: 'cookieStore' in window ? (await window.cookieStore.getAll()).length : 0,
    local: localStorage.length,
    session: JSON.stringify({ ...sessionStorage }),
    databases: (await indexedDB.databases()).length,
    caches: (await caches.keys()).length,
    markup: document.documentElement.outerHTML,
  }));
  assert.equal(found.cookie, '');
  assert.equal(found.store, 0);
  assert.equal(found.local, 0);
  assert.equal(found.databases, 0);
  assert.equal(found.caches, 0);
  for (const text of [found.session, found.markup]) assert.doesNotMatch(text, /eyJ[\w-]{8,}\.[\w-]{8,}\./);
  const places = await at(page, 'token-table').locator('tbody tr').count();
  assert.ok(places >= 5, 'the page itself looks in as many places');
  assert.equal(await at(page, 'token-table').locator('.alarm').count(), 0);
  alice.calm();
});

test('a phone and a dark room are served as well', async (t) => {
  const alice = await person(browser, { viewport: { width: 360, height: 740 }, colorScheme: 'dark' });
  t.after(alice.close);
  const page = await alice.page();
  await signIn(page, demo);
  await answerTo(page, '/api/orders', () => at(page, 'call-orders').click());
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(overflow <= 0, `the page scrolls sideways by ${overflow} px`);
  await picture(page, '10-phone-dark');
  alice.calm();
});
