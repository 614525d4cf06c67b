/** Session events in real tabs: each once in every tab, in two engines. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ENGINES, until } from './engines.js';
import { allIsWell, callFrom, holdTokens, openSite, openTabs, refreshes, replay, tokenIsOver } from './races.js';
import { fillInForm, isBack, session, sessionCookies, told } from './visitor.js';

/** Waits until the tab was told so much, and comes back with it. @param {import('./engines.js').Tab} tab @param {number} count */
const isTold = (tab, count) => until(() => told(tab), (events) => events.length >= count, `${count} events`);

for (const engine of ENGINES) {
  describe(engine.name, () => {
    /** @type {Awaited<ReturnType<typeof engine.launch>>} */
    let browser;
    before(async () => {
      browser = await engine.launch();
    });
    after(() => browser?.close());

    test('a sign-out in one tab is told once in each of five', async (t) => {
      const { tabs } = await openTabs(t, browser);
      const [leaving, ...others] = tabs;
      await leaving.run(() => {
        window.stay = true;
        return window.handler.logout();
      });
      for (const tab of others) assert.deepEqual(await isTold(tab, 1), [{ event: 'loggedout', reason: 'logged_out', from: 'another_tab' }]);
      await callFrom(tabs, 2); // refused, which is no news
      for (const tab of tabs) await tab.run(() => window.handler.reload());
      assert.deepEqual(await told(leaving), [{ event: 'loggedout', reason: 'logged_out', from: 'this_tab' }]);
      for (const tab of others) assert.equal((await told(tab)).length, 1);
    });

    test('an end at the server is seen at the next call of one tab, and told in all', async (t) => {
      const { site, tabs } = await openTabs(t, browser);
      // From outside this browser, as a provider's back-channel or an administrator ends it: no tab hears of it.
      assert.equal(await replay(site, await sessionCookies(tabs[0]), { method: 'POST', path: '/oauth-agent/logout' }), 200);
      for (const tab of tabs) assert.deepEqual(await told(tab), []);
      assert.deepEqual(await callFrom([tabs[2]], 3), [401, 401, 401]);
      for (const tab of tabs) assert.deepEqual(await isTold(tab, 1), [{ event: 'loggedout', reason: 'logged_out', from: 'server' }]);
      await callFrom(tabs, 2);
      for (const tab of tabs) assert.equal((await told(tab)).length, 1, 'once');
    });

    test('the coming end is told once in every tab, and “stay signed in” in one keeps it for all', async (t) => {
      const { tabs } = await openTabs(t, browser, { lines: 'idle_timeout = "124s"' }); // the client warns at 120 s
      for (const tab of tabs) {
        const [{ event, seconds }, ...more] = await isTold(tab, 1);
        assert.deepEqual([event, more], ['expiring', []]);
        assert.ok(Number(seconds) > 100 && Number(seconds) <= 120, `${seconds} s`);
      }
      await tabs[1].run(() => window.handler.refresh());
      for (const tab of tabs) await until(() => tab.run(() => window.handler.session.expiring), (expiring) => !expiring, 'no warning any more');
    });

    test('somebody else who signs in in another tab supersedes the session, and both tabs show the same person', async (t) => {
      const { site, tabs: [one, two] } = await openTabs(t, browser, { count: 2 });
      await two.run(() => void window.handler.login({ prompt: 'login' }));
      await fillInForm(two, 'bob');
      await isBack(two, site);
      assert.equal((await session(two)).claims.sub, 'bob');
      assert.deepEqual(await isTold(one, 1), [{ event: 'superseded', by: 'login' }]);
      assert.equal((await session(one)).claims.sub, 'bob');
      assert.deepEqual(await told(two), [], 'a new page knew nobody before');
      assert.deepEqual([...new Set(await callFrom([one, two], 3))], [200]);
    });

    test('a page that starts signed out is told nothing', async (t) => {
      const { site, first } = await openSite(t, browser);
      await first.go(site.page);
      assert.equal((await session(first)).status, 'anonymous');
      await callFrom([first], 2);
      await first.run(() => window.handler.logout());
      assert.deepEqual(await told(first), []);
    });
  });
}

describe('a tab that the browser has put to sleep', () => {
  const [chromium] = ENGINES; // Firefox has no way to ask for it
  /** @type {Awaited<ReturnType<typeof chromium.launch>>} */
  let browser;
  before(async () => {
    browser = await chromium.launch();
  });
  after(() => browser?.close());

  test('wakes with an old picture of a session that was renewed meanwhile, and goes on', async (t) => {
    const { site, tabs: [awake, asleep] } = await openTabs(t, browser, { mode: 'spa', count: 2 });
    await tokenIsOver(site, awake);
    const wake = (await asleep.sleep?.()) ?? assert.fail();
    for (let renewals = 0; renewals < 3; renewals += 1) {
      await callFrom([awake], 3);
      await tokenIsOver(site, awake);
    }
    const asked = refreshes(site).length;
    await wake();
    assert.deepEqual([...new Set(await callFrom([asleep, awake]))], [200]);
    assert.equal(refreshes(site).length - asked, 1);
    await allIsWell(site, [awake, asleep]);
  });

  test('stands in nobody’s way, though it fell asleep in the middle of a renewal and holds the lock', async (t) => {
    const { site, tabs: [awake, asleep] } = await openTabs(t, browser, {
      mode: 'spa',
      count: 2,
      prepare: (tab) => tab.first(() => (window.options = { timeoutSeconds: 2 })),
    });
    await tokenIsOver(site, awake);
    const asked = refreshes(site).length;
    const { open, reached } = holdTokens(site);
    await asleep.run(() => void (window.slept = window.handler.fetch('/api/slept').then((answer) => answer.status)));
    await reached;
    const wake = (await asleep.sleep?.()) ?? assert.fail();
    open();
    assert.deepEqual([...new Set(await callFrom([awake]))], [200]);
    await wake();
    assert.equal(await asleep.run(() => window.slept), 200);
    assert.equal(refreshes(site).length - asked, 1);
    await allIsWell(site, [awake, asleep]);
  });

  test('is told of the end when it wakes, once', async (t) => {
    const { tabs: [awake, asleep] } = await openTabs(t, browser, { count: 2 });
    const wake = (await asleep.sleep?.()) ?? assert.fail();
    await awake.run(() => {
      window.stay = true;
      return window.handler.logout();
    });
    await wake();
    assert.deepEqual((await isTold(asleep, 1)).map(({ event }) => event), ['loggedout']);
    await callFrom([asleep], 2);
    assert.equal((await told(asleep)).length, 1);
  });
});
