/** The XSS lab tells the truth: it finds nothing where the policy holds, and says so where it does not. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { at, launch, person, picture, reads, signIn, signedOut, startDemo } from './demo.js';

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

/** Presses the button; what came of each attack. @param {import('playwright-core').Page} page @returns {Promise<Record<string, string>>} */
async function attack(page) {
  await at(page, 'run-attacks').click();
  await reads(page, '[data-testid=lab-summary]', /\d+ attacks failed/);
  return page.evaluate(() =>
    Object.fromEntries([...document.querySelectorAll('[data-attack]')].map((row) => [row.getAttribute('data-attack'), row.querySelector('.chip')?.textContent ?? ''])),
  );
}

test('script in the page gets no token and sends nothing out; it can ride the session, and the lab says so', async (t) => {
  const alice = await person(browser);
  t.after(alice.close);
  const page = await alice.page();
  await signIn(page, demo, '/lab');
  alice.calm();
  const verdicts = await attack(page);
  const { ride, ...others } = verdicts;
  assert.equal(ride, 'worked');
  assert.ok(Object.keys(others).length >= 18);
  assert.deepEqual([...new Set(Object.values(others))], ['failed'], JSON.stringify(verdicts));
  await reads(page, '#lab-list', /the browser says true; nothing arrived/);
  await at(page, 'sign-out').waitFor();
  await picture(page, 'panel-lab', '#lab');

  // Red lines there are, and each is an attack being stopped.
  const violations = alice.complaints.filter((line) => line.startsWith('CSP: '));
  assert.ok(violations.length >= 10, `${violations.length}`);
  const [counted] = /\d+/.exec((await at(page, 'lab-reports').textContent()) ?? '') ?? [];
  assert.equal(Number(counted), violations.length);
  for (const line of alice.complaints) assert.match(line, /TrustedScript|TrustedHTML|trusted-types|evil\.localhost|Content Security Policy/);
});

test('without the policy the same lab reports what gets through, so it can see it', async (t) => {
  const alice = await person(browser, { bypassCSP: true });
  t.after(alice.close);
  const page = await alice.page();
  await signIn(page, demo, '/lab');
  const verdicts = await attack(page);
  const worked = Object.keys(verdicts).filter((id) => verdicts[id] === 'worked');
  for (const id of ['inline', 'eval', 'markup', 'handler', 'remote', 'fetch', 'image', 'beacon', 'ride']) assert.ok(worked.includes(id), `${id}: ${JSON.stringify(verdicts)}`);
  for (const id of ['cookie', 'cookie-store', 'set-cookie', 'set-cookie-xhr', 'trace', 'echo', 'forge', 'toss']) assert.ok(!worked.includes(id), `${id}: the cookies need no policy`);
});

test('data leaves by navigation, and the lab shows it', async (t) => {
  const alice = await person(browser);
  t.after(alice.close);
  const page = await alice.page();
  await signIn(page, demo, '/lab');
  const [loot] = await Promise.all([alice.context.waitForEvent('page'), at(page, 'leak-by-leaving').click()]);
  await loot.waitForLoadState();
  assert.equal(new URL(loot.url()).hostname, 'evil.localhost');
  await reads(loot, '[data-testid=loot]', `Alice Ticket is signed in at ${demo.origin}.`);
  await reads(page, '[data-testid=lab-left]', /It arrived/);
  assert.doesNotMatch(await loot.content(), /eyJ|__Host-/);
});

test('signed out, the lab rides nothing', async (t) => {
  const nobody = await person(browser);
  t.after(nobody.close);
  const page = await nobody.page();
  await page.goto(`${demo.origin}/lab`);
  await signedOut(page);
  const verdicts = await attack(page);
  assert.deepEqual([...new Set(Object.values(verdicts))], ['failed']);
});
