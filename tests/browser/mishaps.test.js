/**
 * What goes wrong around a renewal in real browsers: tabs are closed, calls given up, answers lost, people sign out or sign in at
 * the wrong moment. None of it costs a session that should live, or leaves one that should not.
 */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { BASIC } from '../interop/provider.js';
import { ENGINES, until } from './engines.js';
import { CALLS, allIsWell, callFrom, holdTokens, isApiCall, isCallback, isLogout, isRefresh, openSite, openTabs, refreshes, replay, tokenIsOver } from './races.js';
import { fillInForm, isBack, session, sessionCookies, toTheForm, told } from './visitor.js';

for (const engine of ENGINES) {
  describe(engine.name, () => {
    /** @type {Awaited<ReturnType<typeof engine.launch>>} */
    let browser;
    before(async () => {
      browser = await engine.launch();
    });
    after(() => browser?.close());

    test('a tab that is closed while it renews for all: the others get what its renewal brought', async (t) => {
      const { site, tabs } = await openTabs(t, browser);
      const [closing, ...others] = tabs;
      await tokenIsOver(site, others[0]);
      const asked = refreshes(site).length;
      const { open, reached } = holdTokens(site);
      await closing.run(() => void window.handler.fetch('/api/closing'));
      await reached; // the provider has rotated, and its answer is held
      await closing.shut();
      const allHere = site.front.more(others.length * CALLS, isApiCall);
      const answers = callFrom(others);
      await allHere;
      open();
      assert.deepEqual([...new Set(await answers)], [200]);
      assert.equal(refreshes(site).length - asked, 1);
      await allIsWell(site, others);
    });

    test('a call that is given up in the middle of its renewal: the next one finds a renewed session', async (t) => {
      const { site, tabs } = await openTabs(t, browser, { count: 2 });
      await tokenIsOver(site, tabs[0]);
      const asked = refreshes(site).length;
      const { open, reached } = holdTokens(site);
      await tabs[0].run(() => {
        window.giveUp = new AbortController();
        window.givenUp = window.handler.fetch('/api/x', { signal: window.giveUp.signal }).catch((error) => error.name);
      });
      await reached;
      assert.equal(await tabs[0].run(() => (window.giveUp.abort(), window.givenUp)), 'AbortError');
      open();
      assert.deepEqual([...new Set(await callFrom(tabs))], [200]);
      assert.equal(refreshes(site).length - asked, 1, 'nobody asked the provider again');
      await allIsWell(site, tabs);
    });

    for (const mode of /** @type {const} */ (['inline', 'spa'])) {
      test(`an answer with renewed cookies that is lost on the way costs that call and nothing else, refresh = "${mode}"`, async (t) => {
        const { site, tabs } = await openTabs(t, browser, { mode, count: 2 });
        await tokenIsOver(site, tabs[0]);
        const [asked, before] = [refreshes(site).length, await sessionCookies(tabs[0])];
        const lost = site.front.lose(mode === 'spa' ? isRefresh : isApiCall);
        const [answer] = await callFrom([tabs[0]], 1);
        await lost;
        assert.equal(refreshes(site).length - asked, 1, 'the provider has rotated');
        if (engine.name === 'Chromium') {
          assert.match(String(answer), mode === 'spa' ? /no answer from POST/ : /TypeError/);
          assert.deepEqual(await sessionCookies(tabs[0]), before, 'and the browser has not heard of it');
        } else {
          assert.equal(answer, 200, 'Firefox sends again by itself, with the old cookies');
        }
        assert.deepEqual([...new Set(await callFrom(tabs))], [200]);
        assert.equal(refreshes(site).length - asked, 1, 'the used-up refresh token was not sent again');
        assert.notDeepEqual(await sessionCookies(tabs[0]), before);
        await allIsWell(site, tabs);
      });
    }

    for (const mode of /** @type {const} */ (['inline', 'spa'])) {
      test(`a network that goes away in the middle of a renewal: the session stays, and goes on with the network, refresh = "${mode}"`, async (t) => {
        const { site, tabs } = await openTabs(t, browser, { mode, count: 2 });
        await tokenIsOver(site, tabs[0]);
        const asked = refreshes(site).length;
        const { open, reached } = holdTokens(site);
        const answers = callFrom(tabs, 3);
        await reached;
        site.front.cut();
        open();
        for (const answer of await answers) assert.ok(answer === 200 || /TypeError|no answer from/.test(String(answer)), `${answer}`);
        assert.deepEqual([...new Set(await callFrom(tabs))], [200]);
        assert.equal(refreshes(site).length - asked, 1);
        await allIsWell(site, tabs);
      });
    }

    test('a page that comes back by the back button after a sign-out in another tab shows nobody', async (t) => {
      const { site, tabs: [away, leaving] } = await openTabs(t, browser, { count: 2 });
      await away.go(`${site.page}token-handler.js`); // somewhere else
      await leaving.run(() => {
        window.stay = true;
        return window.handler.logout();
      });
      await away.run(() => void setTimeout(() => history.back()));
      await until(() => away.run(() => window.handler?.session.status), (status) => status === 'anonymous', 'nobody');
    });

    test('a call that slept on its way with the old cookies is answered after the others have gone on with the new ones', async (t) => {
      const { site, tabs } = await openTabs(t, browser, { count: 2 });
      await tokenIsOver(site, tabs[0]);
      const asked = refreshes(site).length;
      const sleeping = site.front.hold(({ path }) => path === '/api/slept');
      await tabs[1].run(() => void (window.slept = window.handler.fetch('/api/slept').then((answer) => answer.status)));
      await sleeping.holds(1);
      for (let times = 0; times < 2; times += 1) assert.deepEqual([...new Set(await callFrom(tabs))], [200]);
      sleeping.open();
      assert.equal(await tabs[1].run(() => window.slept), 200);
      assert.equal(refreshes(site).length - asked, 1);
      // Had its answer rolled the cookies back, this would be handed the renewal of before instead of a new one.
      await tabs[0].run(() => window.handler.refresh());
      assert.equal(refreshes(site).length - asked, 2);
      assert.deepEqual([...new Set(await callFrom(tabs))], [200]);
      await allIsWell(site, tabs);
    });

    for (const mode of /** @type {const} */ (['inline', 'spa'])) {
      test(`a sign-out in one tab while four others renew: nobody is resurrected, refresh = "${mode}"`, async (t) => {
        const { site, tabs } = await openTabs(t, browser, { mode });
        const [leaving, ...others] = tabs;
        await tokenIsOver(site, leaving);
        const copied = await sessionCookies(leaving);
        const { open, reached } = holdTokens(site);
        const answers = callFrom(others);
        await reached; // rotated, not yet answered
        const onItsWay = site.front.more(1, isLogout);
        await leaving.run(() => {
          window.stay = true; // instead of going on to the provider
          window.left = window.handler.logout();
        });
        await onItsWay;
        open();
        assert.deepEqual(await leaving.run(() => window.left), { leaving: true });
        for (const answer of await answers) assert.ok(answer === 200 || answer === 401, `${answer}`);

        assert.deepEqual(await sessionCookies(leaving), {}, 'no late answer has set a cookie');
        assert.deepEqual([...new Set(await callFrom(tabs, 2))], [401]);
        for (const tab of tabs) {
          assert.equal((await tab.run(() => window.handler.reload())).status, 'anonymous');
          assert.deepEqual((await told(tab)).map(({ event }) => event), ['loggedout'], 'once');
        }
        assert.equal(await replay(site, copied), 401, 'a copy of the cookies opens nothing');
        for (const { answer } of refreshes(site)) assert.equal(await site.provider.isActive(BASIC, answer.refresh_token), false, 'revoked at the provider');
      });
    }

    test('two sign-ins that come back at the same moment: both tabs end up in one session that lives', async (t) => {
      const { site, first } = await openSite(t, browser);
      const tabs = [first, await first.another()];
      for (const tab of tabs) await toTheForm(tab, site);
      const callbacks = site.front.hold(isCallback);
      await fillInForm(tabs[0], 'alice');
      await callbacks.holds(1);
      await fillInForm(tabs[1], 'alice', false); // the provider has been told already that it may
      await callbacks.holds(2);
      callbacks.open();
      for (const tab of tabs) await isBack(tab, site);
      for (const tab of tabs) assert.equal((await session(tab)).status, 'authenticated');
      assert.deepEqual([...new Set(await callFrom(tabs, 3))], [200]);
      const [one, two] = await Promise.all(tabs.map((tab) => tab.run(() => window.handler.reload())));
      assert.equal(one.handle, two.handle);
      assert.equal(one.claims.sub, two.claims.sub);
    });
  });
}
