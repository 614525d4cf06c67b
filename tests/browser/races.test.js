/**
 * Races of real browsers against a real provider that rotates refresh tokens and revokes the grant when an old one comes back:
 * a hundred calls of five tabs at the instant of expiry are one token request, and nobody is signed out.
 */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { BASIC } from '../interop/provider.js';
import { ENGINES } from './engines.js';
import { CALLS, PATIENCE, ROUNDS, TABS, allIsWell, callFrom, echoFrom, expireNow, isApiCall, isRefresh, logUntilNow, openDemoTabs, openTabs, refreshes, tokenIsOver } from './races.js';
import { told } from './visitor.js';

for (const engine of ENGINES) {
  describe(engine.name, () => {
    /** @type {Awaited<ReturnType<typeof engine.launch>>} */
    let browser;
    before(async () => {
      browser = await engine.launch();
    });
    after(() => browser?.close());
    const rounds = ROUNDS[engine.name];

    for (const mode of /** @type {const} */ (['inline', 'spa'])) {
      test(`a hundred calls of five tabs at the instant of expiry are one token request, refresh = "${mode}"`, { timeout: PATIENCE }, async (t) => {
        const { site, tabs } = await openTabs(t, browser, { mode });
        for (let round = 1; round <= rounds; round += 1) {
          await tokenIsOver(site, tabs[0]);
          const [asked, served] = [refreshes(site).length, site.api.calls.length];
          // The provider has rotated and holds its answer until every call has come: none is spared the race by being late.
          const allHere = site.front.more(TABS * CALLS, isApiCall);
          site.provider.knobs.beforeToken = () => allHere;

          const answers = await callFrom(tabs);

          assert.deepEqual([...new Set(answers)], [200], `round ${round}`);
          assert.equal(answers.length, TABS * CALLS);
          assert.equal(refreshes(site).length - asked, 1, `token requests in round ${round}`);
          const calls = site.api.calls.slice(served);
          assert.equal(calls.length, TABS * CALLS, 'each call reached the API once');
          const { access_token: newest } = site.provider.newest() ?? assert.fail();
          assert.deepEqual([...new Set(calls.map((call) => site.api.bearer(call)))], [newest]);
        }
        await allIsWell(site, tabs);
        assert.equal(await site.provider.isActive(BASIC, site.provider.newest()?.refresh_token), true, 'the grant lives');
      });
    }

    test('the same against the demo’s provider, which gives no second chance: a used refresh token ends the grant', { timeout: PATIENCE }, async (t) => {
      const { demo, tabs } = await openDemoTabs(t, browser);
      const renewals = async () => (await logUntilNow(demo, tabs[0])).match(/session_renewed/g)?.length ?? 0;
      let before = '';
      for (let round = 1; round <= rounds; round += 1) {
        await expireNow(tabs[0]);
        const renewed = await renewals();
        const answers = await echoFrom(tabs);
        assert.equal(answers.length, TABS * CALLS);
        assert.equal(new Set(answers).size, 1, `round ${round}: one token for all, and no refusal: ${[...new Set(answers)]}`);
        assert.notEqual(answers[0], before);
        assert.match((before = answers[0]), /^sha256:/, 'a fingerprint of the token that the API received');
        assert.equal((await renewals()) - renewed, 1, `renewals in round ${round}`);
      }
      for (const tab of tabs) {
        assert.equal(await tab.run(() => window.racing.session.status), 'authenticated');
        assert.deepEqual(await told(tab), []);
      }
      assert.doesNotMatch(demo.child.output, /session_ended|session_reuse_detected|session_renewal_rejected|panicked/);
    });

    test('five tabs without Web Locks that all refresh at once are one token request', async (t) => {
      const { site, tabs } = await openTabs(t, browser, {
        mode: 'spa',
        prepare: (tab) => tab.first(() => Object.defineProperty(Navigator.prototype, 'locks', { configurable: true, get: () => undefined })),
      });
      await tokenIsOver(site, tabs[0]);
      const asked = refreshes(site).length;
      const allHere = site.front.more(TABS, isRefresh);
      site.provider.knobs.beforeToken = () => allHere;
      assert.deepEqual([...new Set(await callFrom(tabs))], [200]);
      assert.equal(refreshes(site).length - asked, 1);
      await allIsWell(site, tabs);
    });
  });
}
