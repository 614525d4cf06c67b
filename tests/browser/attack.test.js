/**
 * Pages of other origins that try to ride the session: one of another site, one of the same site (another port shares
 * the cookies). Each attempt is stopped by a named guard, and the browser's own reasons are asked for.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { at, launch, listen, ourCookies, person, picture, reads, signIn, signedIn, startDemo } from './demo.js';

/** @type {import('./demo.js').Demo} */
let demo;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {http.Server} */
let evil;
before(async () => {
  evil = http.createServer((_, response) => response.setHeader('content-type', 'text/html').end('<!doctype html><title>evil</title>'));
  evil.listen(0, '127.0.0.1');
  await once(evil, 'listening');
  browser = await launch();
  demo = await startDemo();
});
after(async () => {
  await browser?.close();
  await demo?.stop();
  evil?.close();
});

for (const { site, host } of [
  { site: 'another site', host: () => 'evil.localhost' },
  { site: 'the same site', host: () => new URL(demo.origin).hostname },
]) {
  test(`a page of ${site} can neither call the API nor end the session`, async (t) => {
    const alice = await person(browser);
    t.after(alice.close);
    await signIn(await alice.page(), demo);
    const before = await ourCookies(alice.context, demo);
    const page = await alice.page();
    await page.goto(`http://${host()}:${evil.address().port}/`);
    const network = await listen(page);

    const read = await page.evaluate(async (target) => {
      const attempts = {
        simple: () => fetch(`${target}/api/echo`, { credentials: 'include' }),
        withHeader: () => fetch(`${target}/api/echo`, { credentials: 'include', headers: { 'token-handler-version': '1' } }),
        blind: () => fetch(`${target}/oauth-agent/logout`, { method: 'POST', mode: 'no-cors', credentials: 'include' }),
        form: () => fetch(`${target}/oauth-agent/login/start`, { method: 'POST', mode: 'no-cors', credentials: 'include', body: new URLSearchParams({ return_to: '/' }) }),
      };
      /** @type {Record<string, string>} */
      const outcome = {};
      for (const [name, attempt] of Object.entries(attempts)) {
        outcome[name] = await attempt().then((response) => response.type, () => 'refused');
      }
      return outcome;
    }, demo.origin);

    assert.deepEqual(read, { simple: 'refused', withHeader: 'refused', blind: 'refused', form: 'refused' }, 'nothing can be read');
    const hops = await network.atLeast(4, (hop) => hop.url.origin === demo.origin);
    assert.deepEqual(
      hops.map(({ method, url, status }) => `${method} ${url.pathname} ${status}`).sort(),
      ['GET /api/echo 403', 'OPTIONS /api/echo 403', 'POST /oauth-agent/login/start 403', 'POST /oauth-agent/logout 403'],
      'each got as far as the server, but for the one that its preflight stopped',
    );
    for (const { headers } of hops) {
      assert.match(headers['token-handler-error'], /^(csrf|origin)_rejected$/);
      assert.equal(headers['access-control-allow-origin'], undefined, 'no CORS for a stranger');
      assert.equal(headers['set-cookie'], undefined);
    }
    const called = hops.find((hop) => hop.method === 'GET') ?? assert.fail();
    if (site === 'another site') {
      assert.deepEqual(hops.flatMap((hop) => hop.sent), [], 'no cookie leaves the browser');
      assert.equal(called.keptBack.length, 3);
      for (const { name, reasons } of called.keptBack) assert.ok(reasons.some((reason) => reason.endsWith('SameSiteStrict')), `${name}: ${reasons}`);
    } else {
      assert.equal(called.sent.length, 3, 'the cookies do travel here: it is Origin and the missing header that stop it');
    }
    assert.deepEqual(await ourCookies(alice.context, demo), before, 'the jar is as it was');
  });

  test(`a form of ${site} that posts by navigation is refused`, async (t) => {
    const alice = await person(browser);
    t.after(alice.close);
    await signIn(await alice.page(), demo);
    const before = await ourCookies(alice.context, demo);
    const page = await alice.page();
    await page.goto(`http://${host()}:${evil.address().port}/`);
    const [answer] = await Promise.all([
      page.waitForResponse((response) => response.url().startsWith(demo.origin)),
      page.evaluate((target) => {
        const form = document.body.appendChild(document.createElement('form'));
        form.method = 'post';
        form.action = `${target}/oauth-agent/logout`;
        form.submit();
      }, demo.origin),
    ]);
    assert.equal(answer.status(), 403);
    assert.deepEqual(await ourCookies(alice.context, demo), before);
  });

  test(`a frame of ${site} does not show the app`, async (t) => {
    const alice = await person(browser);
    t.after(alice.close);
    await signIn(await alice.page(), demo);
    const page = await alice.page();
    await page.goto(`http://${host()}:${evil.address().port}/`);
    await page.evaluate(
      (target) =>
        new Promise((resolve) => {
          const frame = document.createElement('iframe');
          frame.addEventListener('load', resolve);
          frame.src = target;
          document.body.append(frame);
        }),
      demo.address,
    );
    const [frame] = page.frames().filter((each) => each !== page.mainFrame());
    assert.equal(await frame.locator('[data-testid=status]').count(), 0, 'frame-ancestors or X-Frame-Options');
  });
}

test('the demo’s attacker’s page gets nothing, and the visitor is still signed in', async (t) => {
  const alice = await person(browser);
  t.after(alice.close);
  const page = await alice.page();
  await signIn(page, demo, '/elsewhere');
  const before = await ourCookies(alice.context, demo);
  const [attacker] = await Promise.all([alice.context.waitForEvent('page'), at(page, 'attacker').click()]);
  await attacker.waitForLoadState();
  await at(attacker, 'attack').click();
  const verdict = await reads(attacker, '[data-testid=verdict]', /succeeded/);
  assert.match(verdict, /^0 of 10 /);
  await picture(attacker, 'attacker', 'main');
  await page.bringToFront();
  await page.reload();
  await signedIn(page);
  assert.deepEqual(await ourCookies(alice.context, demo), before);
});

test('the attacker’s page would say so if it got something: against an app without guards it does', async (t) => {
  const careless = http.createServer((request, response) => {
    response.setHeader('access-control-allow-origin', request.headers.origin ?? '*').setHeader('access-control-allow-credentials', 'true');
    response.setHeader('access-control-allow-headers', 'token-handler-version').setHeader('content-type', 'text/javascript').end('/* orders */');
  });
  careless.listen(0, '127.0.0.1');
  await once(careless, 'listening');
  t.after(() => careless.close());
  const alice = await person(browser);
  t.after(alice.close);
  const page = await alice.page();
  await page.goto(demo.address);
  const address = (await at(page, 'attacker').getAttribute('href')) ?? '';
  await page.route('**/targets', (route) => route.fulfill({ json: [`http://127.0.0.1:${careless.address().port}`] }));
  await page.goto(address);
  await at(page, 'attack').click();
  const verdict = await reads(page, '[data-testid=verdict]', /succeeded/);
  const [won] = /^\d+/.exec(verdict) ?? [];
  assert.ok(Number(won) >= 3, verdict);
});
