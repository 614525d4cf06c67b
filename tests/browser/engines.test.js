/**
 * Two engines, every topology, the same checks: the whole way of a session, what the browser keeps of our cookies, and who
 * is stopped. The pages are bare, with a policy that allows nothing but the client.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { ENGINES, launchFirefox, until } from './engines.js';
import { startSite } from './site.js';
import { TOPOLOGIES } from './topologies.js';
import { session, signIn } from './visitor.js';

for (const engine of ENGINES) {
  describe(engine.name, () => {
    /** @type {Awaited<ReturnType<typeof engine.launch>>} */
    let browser;
    before(async () => {
      browser = await engine.launch();
    });
    after(() => browser?.close());

    for (const topology of TOPOLOGIES) {
      test(`a session from beginning to end: ${topology.name}`, async (t) => {
        const site = await startSite(topology);
        t.after(site.stop);
        const tab = await browser.person();
        t.after(tab.close);

        await signIn(tab, site);
        assert.equal(tab.url(), `${site.page}orders/42?tab=x#y`, 'back to where the person was');

        const kept = (await tab.cookies()).filter(({ name }) => name.startsWith('__Host-Http-shop-'));
        assert.deepEqual(kept.map(({ name }) => name.replace('__Host-Http-shop-', '')).sort(), ['at', 'id', 'rt']);
        for (const { name, httpOnly, secure, sameSite, path, domain } of kept) {
          assert.deepEqual({ httpOnly, secure, sameSite: sameSite.toLowerCase(), path, domain }, { httpOnly: true, secure: true, sameSite: 'strict', path: '/', domain: topology.handler }, name);
        }
        assert.equal(await tab.run(() => document.cookie), '');

        const answer = await tab.run(async (api) => (await window.handler.fetch(`${api}/api/orders`, { method: 'POST', body: 'x' })).status, site.client);
        assert.equal(answer, 200);
        const call = site.api.calls.at(-1);
        assert.match(call?.headers.authorization ?? '', /^Bearer \S+$/);
        assert.doesNotMatch(JSON.stringify(call?.headers), /__Host-Http-|token-handler/);

        const refreshes = () => site.provider.tokenRequests.filter(({ grant }) => grant === 'refresh_token').length;
        assert.equal((await tab.run(() => window.handler.refresh())).status, 'authenticated');
        assert.equal(refreshes(), 1);

        const plain = await tab.run((api) => fetch(`${api}/api/orders`, { credentials: 'include' }).then((r) => r.status, () => 'refused'), site.client);
        assert.equal(plain, 403, 'without the header not even the page itself');
        assert.deepEqual(await tab.run(() => window.violations), [], 'the policy allows the client all it does');

        await tab.run(() => void window.handler.logout());
        await until(async () => tab.url(), (url) => url.startsWith(site.provider.issuer), 'the provider’s page');
        await tab.fill('button[name=logout]');
        await until(async () => tab.url(), (url) => url.startsWith(site.page), 'the way back');
        assert.equal((await session(tab)).status, 'anonymous');
        assert.deepEqual((await tab.cookies()).filter(({ name }) => name.startsWith('__Host-Http-shop-')), []);
      });
    }

    test('a page of another site gets nothing, whatever it sends', async (t) => {
      const site = await startSite(TOPOLOGIES[1]);
      t.after(site.stop);
      const tab = await browser.person();
      t.after(tab.close);
      await signIn(tab, site);
      const before = (await tab.cookies()).filter(({ name }) => name.startsWith('__Host-Http-')).map(({ name }) => name).sort();
      const calls = site.api.calls.length;
      const evil = http.createServer((_, response) => response.setHeader('content-type', 'text/html').end('<!doctype html><title>evil</title>'));
      evil.listen(0, '127.0.0.1');
      await once(evil, 'listening');
      t.after(() => evil.close());
      for (const host of ['evil.localhost', 'evil.app.localhost']) {
        await tab.go(`http://${host}:${evil.address().port}/`);
        const got = await tab.run(async (target) => {
          const tries = [
            fetch(`${target}/api/orders`, { credentials: 'include' }),
            fetch(`${target}/api/orders`, { credentials: 'include', headers: { 'token-handler-version': '1' } }),
            fetch(`${target}/oauth-agent/logout`, { method: 'POST', credentials: 'include', headers: { 'token-handler-version': '1' } }),
          ];
          return (await Promise.allSettled(tries)).map(({ status }) => status);
        }, site.origin);
        assert.deepEqual(got, ['rejected', 'rejected', 'rejected'], host);
        // Blind ones: nobody learns what became of them, but the session is as it was.
        await tab.run((target) => fetch(`${target}/oauth-agent/logout`, { method: 'POST', mode: 'no-cors', credentials: 'include' }).catch(() => null), site.origin);
      }
      assert.equal(site.api.calls.length, calls, 'nothing reached the API');
      await tab.go(site.page);
      assert.equal((await session(tab)).status, 'authenticated');
      assert.deepEqual((await tab.cookies()).filter(({ name }) => name.startsWith('__Host-Http-')).map(({ name }) => name).sort(), before);
    });
  });
}

test('Firefox with cookies blocked: the client says so and does not leave for the provider', async (t) => {
  const site = await startSite(TOPOLOGIES[0]);
  t.after(site.stop);
  const browser = await launchFirefox({ 'network.cookie.cookieBehavior': 2 });
  t.after(browser.close);
  const tab = await browser.person();
  await tab.go(site.page);
  await session(tab);
  const failed = await tab.run(() => window.handler.login().then(() => 'left', (error) => error.code));
  assert.equal(failed, 'cookie_blocked');
  assert.equal(tab.url(), site.page);
  assert.equal((await session(tab)).reason, 'cookie_blocked');
});
