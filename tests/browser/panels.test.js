/** What the panels of the demo show, each against what really happened. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answerTo, at, launch, person, picture, reads, signIn, signedIn, signedOut, startDemo } from './demo.js';

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

test('“expire now” ends the access token, and the next call brings another one', async (t) => {
  const alice = await person(browser);
  t.after(alice.close);
  const page = await alice.page();
  await signIn(page, demo);
  const before = await (await answerTo(page, '/api/echo', () => at(page, 'call-api').click())).json();
  await expire(page);
  await reads(page, '[data-testid=history] li', /an access token that ends sooner/);
  const after = await (await answerTo(page, '/api/echo', () => at(page, 'call-api').click())).json();
  assert.notEqual(after.authorization.fingerprint, before.authorization.fingerprint);
  await at(page, 'renewed').waitFor();
  await reads(page, '#countdown', /^1:[45]\d|^2:00/);
  await picture(page, 'panel-call', '#call');
  alice.calm();
});

test('five tabs that each call twenty times at the moment of expiry: one renewal, no failure', async (t) => {
  const alice = await person(browser);
  t.after(alice.close);
  const first = await alice.page();
  await signIn(first, demo);
  const tabs = [first];
  while (tabs.length < 5) {
    const tab = await alice.page();
    await tab.goto(demo.address);
    await signedIn(tab);
    tabs.push(tab);
  }
  await expire(first);
  const calls = await Promise.all(
    tabs.map((tab) =>
      tab.evaluate(() =>
        Promise.all(
          Array.from({ length: 20 }, async () => {
            const answer = await fetch('/api/echo', { headers: { 'token-handler-version': '1' } });
            return answer.status === 200 ? (await answer.json()).authorization.fingerprint : answer.status;
          }),
        ),
      ),
    ),
  );
  assert.equal(new Set(calls.flat()).size, 1, `one token for all: ${[...new Set(calls.flat())]}`);
  for (const tab of tabs) assert.equal(await at(tab, 'sign-out').isVisible(), true);
  alice.calm();
});

test('tabs see each other, renew for each other and sign out together', async (t) => {
  const alice = await person(browser);
  t.after(alice.close);
  const [one, two] = [await alice.page(), await alice.page()];
  await signIn(one, demo, '/tabs');
  await two.goto(`${demo.origin}/tabs`);
  await signedIn(two);
  await reads(one, '[data-testid=other-tabs]', `One other tab: ${await at(two, 'this-tab').textContent()}.`);
  await at(two, 'refresh-now').click();
  await reads(one, '[data-testid=tab-news] li', /One tab has renewed the session for all/);
  await picture(one, 'panel-tabs', '#tabs');
  await at(two, 'sign-out').click();
  await signedOut(one);
  await reads(one, '[data-testid=tab-news] li', /The session has ended/);
  await reads(one, '[data-testid=snapshot] [data-field=reason]', 'logged_out');
  await reads(one, '[data-testid=history] li', /loggedout told: logged_out, from another tab/);
  await picture(one, '14-signed-out-elsewhere', '#session');
  alice.calm();
});

test('the session inspector shows the snapshot as it is', async (t) => {
  const alice = await person(browser);
  t.after(alice.close);
  const page = await alice.page();
  await page.goto(demo.address);
  await reads(page, '[data-testid=snapshot] [data-field=reason]', 'none');
  await signIn(page, demo, '/session');
  await reads(page, '[data-testid=snapshot] [data-field=status]', 'authenticated');
  await reads(page, '[data-testid=snapshot] [data-field=accessExpiresAt]', /^in 1[12]\d s$/);
  assert.equal(await page.locator('[data-testid=snapshot] [data-field=reason]').count(), 0);
  await picture(page, 'panel-session', '#session');
  alice.calm();
});

test('everything can be done by keyboard, the focus goes to the headline, and each change is said aloud', async (t) => {
  const alice = await person(browser);
  t.after(alice.close);
  const page = await alice.page();
  await page.goto(demo.address);
  await signedOut(page);
  await tabTo(page, 'sign-in');
  await page.keyboard.press('Enter');
  await page.locator('input[name=username]').waitFor();
  await page.keyboard.type(demo.user);
  await page.keyboard.press('Tab');
  await page.keyboard.type(demo.password);
  await page.keyboard.press('Enter');
  await signedIn(page);
  await reads(page, '#announcer', /Signed in\. You are Alice/);
  await tabTo(page, 'call-api');
  await page.keyboard.press('Space');
  await reads(page, '#announcer', /\/api\/echo answered 200/);
  await tabTo(page, 'run-attacks');
  await page.keyboard.press('Enter');
  await reads(page, '#announcer', /attacks failed; 1 worked/);
  assert.equal(await focused(page), 'lab-summary');
  await page.keyboard.press('Control+Home');
  await page.locator('a.skip').focus();
  await page.keyboard.press('Enter');
  await tabTo(page, 'sign-out');
  await page.keyboard.press('Enter');
  await signedOut(page);
  await reads(page, '#announcer', /Not signed in/);
});

test('a session that ends elsewhere takes the focus of its buttons to the headline', async (t) => {
  const alice = await person(browser);
  t.after(alice.close);
  const [one, two] = [await alice.page(), await alice.page()];
  await signIn(one, demo);
  await two.goto(demo.address);
  await signedIn(two);
  await at(two, 'sign-out').focus();
  await at(one, 'sign-out').click();
  await signedOut(two);
  assert.equal(await focused(two), 'status');
});

test('a session that is about to end says so, and can be kept', async (t) => {
  const alice = await person(browser);
  t.after(alice.close);
  const page = await alice.page();
  await signIn(page, demo);
  await page.route('**/oauth-agent/session', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), session_idle_expires_in: 100 } }); // as after half an hour
  });
  await page.reload();
  await reads(page, '#status-detail', /Alice.*about to end/);
  await reads(page, '#announcer', /about to end/);
  await page.unroute('**/oauth-agent/session');
  await at(page, 'stay').click();
  await reads(page, '#status-detail', /Alice.*sealed in cookies/);
  assert.equal(await at(page, 'stay').isVisible(), false);
  assert.equal(await focused(page), 'status');
  alice.calm();
});

test('nothing moves for those who asked for less motion', async (t) => {
  const alice = await person(browser, { reducedMotion: 'reduce' });
  t.after(alice.close);
  const page = await alice.page();
  await page.goto(demo.address);
  const moving = await page.evaluate(() =>
    [...document.querySelectorAll('*')].filter((each) => {
      const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(each);
      return !/^0s(, 0s)*$/.test(transitionDuration) || animationName !== 'none' || scrollBehavior === 'smooth';
    }).length,
  );
  assert.equal(moving, 0);
});

/** Waits until the token is over. @param {import('playwright-core').Page} page */
async function expire(page) {
  await at(page, 'expire-now').click();
  await reads(page, '#announcer', /The access token is over/);
  await reads(page, '#countdown-word', 'renewed with the next call');
}

/** Presses Tab until the element has the focus, as a person would. @param {import('playwright-core').Page} page @param {string} id */
async function tabTo(page, id) {
  for (let presses = 0; presses < 60; presses += 1) {
    if ((await focused(page)) === id) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`${id} is not reached by Tab`);
}

/** @param {import('playwright-core').Page} page */
function focused(page) {
  return page.evaluate(() => (document.activeElement instanceof HTMLElement ? (document.activeElement.dataset.testid ?? document.activeElement.id) : ''));
}
