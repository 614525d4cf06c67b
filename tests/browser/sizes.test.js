/**
 * Access tokens of 1 to 12 KB through the real binary, from a certified provider to the API, with the cookies in a real
 * Chromium: what packs well (lists of roles) and what does not pack at all (random claims). And browsers that keep no cookie.
 */

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { POST } from '../interop/provider.js';
import { startWorld, VERSION } from '../interop/world.js';
import { FLAGS, launch, listen } from './demo.js';

/** RFC 6265bis §5.6. */
const LARGEST_COOKIE = 4096;
/** A JWT of RS256 without claims of ours: header, standard claims, signature. */
const BARE = 850;

const ROLES = ['orders', 'invoices', 'customers', 'returns', 'reports', 'catalog', 'pricing', 'shipping'];
const claims = {
  roles(/** @type {number} */ bytes) {
    /** @type {string[]} */
    const roles = [];
    for (let n = 0, length = 12; length < bytes; n += 1) {
      roles.push(`${ROLES[n % ROLES.length]}:region-${n % 97}:${n % 2 ? 'read' : 'write'}`);
      length += roles[n].length + 3;
    }
    return { roles };
  },
  random: (/** @type {number} */ bytes) => ({ opaque: randomBytes(Math.ceil((bytes * 3) / 4)).toString('base64url') }),
};

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** A world with a page of the app, and access tokens that are JWTs. @param {string} session */
async function world(t, session = '') {
  const folder = await mkdtemp(path.join(tmpdir(), 'cloakroom-spa-'));
  await writeFile(path.join(folder, 'index.html'), '<!doctype html><title>The app</title><p>Hello');
  const world = await startWorld({ client: POST, auth: 'client_secret_post', session, app: `spa = { dir = "${folder}" }` });
  t.after(async () => {
    await world.stop();
    await rm(folder, { recursive: true, force: true });
  });
  return world;
}

/** A page in a profile of its own. The provider's pages name fonts elsewhere: nothing leaves this machine. */
async function profile(t) {
  const context = await browser.newContext();
  t.after(() => context.close());
  return tame(context);
}

/** @param {import('playwright-core').BrowserContext} context */
async function tame(context) {
  context.setDefaultTimeout(20_000);
  await context.route(({ hostname }) => !['localhost', '127.0.0.1'].includes(hostname), (route) => route.abort());
  return context.newPage();
}

/** Signs in by navigation; ends on a page of the app. @param {import('playwright-core').Page} page */
async function signIn(page, { origin, agent }) {
  await page.goto(`${agent}/login?return_to=%2Fhome&prompt=login`);
  await throughTheProvider(page, origin);
}

/** @param {import('playwright-core').Page} page @param {string} origin */
async function throughTheProvider(page, origin) {
  for (let pages = 0; pages < 3 && !page.url().startsWith(`${origin}/`); pages += 1) {
    const name = page.locator('input[name=login]');
    if (await name.count()) {
      await name.fill('alice');
      await page.locator('input[name=password]').fill('any will do');
    }
    const left = page.url();
    await page.locator('button[type=submit]').first().click();
    await page.waitForURL((url) => url.href !== left);
  }
  assert.ok(page.url().startsWith(`${origin}/`), page.url());
}

/** What script of the page gets. @param {import('playwright-core').Page} page @param {string} where */
const ask = (page, where) =>
  page.evaluate(
    async ([address, headers]) => {
      const answer = await fetch(address, { headers });
      return { status: answer.status, code: answer.headers.get('token-handler-error'), body: await answer.json() };
    },
    /** @type {const} */ ([where, VERSION]),
  );

/** The session's cookies as Chromium keeps them. */
async function kept(page, origin) {
  const cookies = await page.context().cookies(origin);
  return cookies.filter(({ name }) => name.startsWith('__Host-Http-shop-'));
}

const fingerprint = (/** @type {string} */ token) => createHash('sha256').update(token).digest('hex');
const weigh = (/** @type {{name: string, value: string}[]} */ cookies) => cookies.reduce((sum, { name, value }) => sum + name.length + value.length + 3, 0);
/** How often the browser was sent to the provider. */
const toTheProvider = (hops, issuer) => hops.filter(({ url }) => url.origin === issuer && url.pathname === '/auth').length;

for (const kind of /** @type {const} */ (['roles', 'random'])) {
  test(`access tokens of 1, 2, 4, 8 and 12 KB made of ${kind} reach the API whole`, async (t) => {
    const here = await world(t, 'cookie_budget = "32KiB"');
    for (const kilobytes of [1, 2, 4, 8, 12]) {
      const length = kilobytes * 1024;
      // Three bytes of claims are four characters of token.
      here.provider.knobs.accessTokenClaims = claims[kind](((length - BARE) * 3) / 4);
      const page = await profile(t);
      const network = await listen(page);
      await signIn(page, here);
      assert.equal(page.url(), `${here.origin}/home`);

      const { status } = await ask(page, '/api/orders');
      assert.equal(status, 200);
      const token = here.provider.newest()?.access_token;
      assert.ok(Math.abs(token.length - length) < 200, `${token.length} characters for ${kilobytes} KB`);
      assert.equal(fingerprint(here.api.bearer() ?? ''), fingerprint(token));

      const cookies = await kept(page, here.origin);
      for (const { name, value } of cookies) assert.ok(name.length + value.length <= LARGEST_COOKIE, `${name}: ${value.length}`);
      assert.ok(cookies.every(({ name }) => /-(at|rt|id)(\.\d+)?$/.test(name)), `${cookies.map(({ name }) => name)}`);
      assert.ok(weigh(cookies) <= 32 * 1024);
      assert.deepEqual(network.hops().flatMap((hop) => hop.refused), [], 'cookies that the browser refused');
      if (kind === 'roles') assert.ok(weigh(cookies) < 7 * 1024, 'roles fit the default budget');
      t.diagnostic(`${token.length} characters of ${kind}: ${cookies.length} cookies, ${weigh(cookies)} bytes`);
    }
  });
}

test('a session over the budget fails by name, goes round no second time and leaves the session of before', async (t) => {
  const here = await world(t);
  here.provider.knobs.accessTokenClaims = claims.roles(1_000);
  const page = await profile(t);
  await signIn(page, here);
  const cookies = await kept(page, here.origin);
  const network = await listen(page);

  here.provider.knobs.accessTokenClaims = claims.random(9_000);
  await signIn(page, here);
  const { pathname, searchParams } = new URL(page.url());
  assert.equal(pathname, '/sorry');
  assert.equal(searchParams.get('login_error'), 'session_too_large');
  assert.equal(toTheProvider(await network.atLeast(1, ({ url }) => url.origin === here.provider.issuer), here.provider.issuer), 1, 'no login loop');
  assert.match(here.server.output, /session_too_large/);
  assert.match(here.server.output, /at \d{4,5}, rt \d+, id \d+/, 'the operator reads which cookie is how large');
  assert.match(here.server.output, /raise it together with the header limits/);

  assert.deepEqual(await kept(page, here.origin), cookies, 'nothing was set and nothing cleared');
  assert.equal((await ask(page, '/api/orders')).status, 200);
  assert.equal((await ask(page, '/oauth-agent/session')).body.is_logged_in, true);

  // A browser without a session: the same, and it stays signed out.
  const other = await profile(t);
  await signIn(other, here);
  assert.equal(new URL(other.url()).searchParams.get('login_error'), 'session_too_large');
  assert.deepEqual(await kept(other, here.origin), []);
  assert.deepEqual((({ status, code }) => ({ status, code }))(await ask(other, '/api/orders')), { status: 401, code: 'session_missing' });
});

test('a browser that refuses cookies ends at a named error and goes round no second time', async (t) => {
  const here = await world(t);
  const folder = await mkdtemp(path.join(tmpdir(), 'cloakroom-profile-'));
  await mkdir(path.join(folder, 'Default'));
  // As the user's own setting: no cookies for the app, while the provider's site may.
  const blocked = { [`${here.origin},*`]: { setting: 2 } };
  await writeFile(path.join(folder, 'Default', 'Preferences'), JSON.stringify({ profile: { content_settings: { exceptions: { cookies: blocked } } } }));
  const context = await chromium.launchPersistentContext(folder, { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: FLAGS });
  t.after(async () => {
    await context.close();
    await rm(folder, { recursive: true, force: true });
  });
  const page = await tame(context);
  const network = await listen(page);
  await signIn(page, here);
  const { pathname, searchParams } = new URL(page.url());
  assert.equal(pathname, '/sorry');
  assert.equal(searchParams.get('login_error'), 'login_state_invalid');
  assert.deepEqual(await kept(page, here.origin), []);
  assert.equal(toTheProvider(await network.atLeast(1, ({ url }) => url.origin === here.provider.issuer), here.provider.issuer), 1, 'no login loop');
  assert.match(here.server.output, /the browser sent no login cookie at all/);
  assert.equal(here.provider.tokenRequests.length, 0, 'no code is redeemed');

  const ended = await page.evaluate(
    async ([address, headers]) => {
      const answer = await fetch(address, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: '{"code":"c","state":"s"}' });
      return answer.json();
    },
    /** @type {const} */ (['/oauth-agent/login/end', VERSION]),
  );
  assert.equal(ended.error_code, 'login_state_invalid');
  assert.match(ended.detailed_error, /Allow cookies for this site/);
  assert.deepEqual((await ask(page, '/oauth-agent/session')).body, { is_logged_in: false, reason: 'none' });
});
