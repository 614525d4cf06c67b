/** axe-core finds nothing on any screen of the demo: in light, dark and forced colours, on a phone, a tablet and a desk. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { at, fillIn, launch, person, reads, signIn, signedOut, startDemo, toTheProvider } from './demo.js';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

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

const LOOKS = [
  { name: 'light on a desk', options: { viewport: { width: 1280, height: 900 } } },
  { name: 'dark on a phone', options: { viewport: { width: 320, height: 740 }, colorScheme: /** @type {const} */ ('dark') } },
  { name: 'forced colours on a tablet', options: { viewport: { width: 768, height: 1024 }, forcedColors: /** @type {const} */ ('active') } },
];

for (const { name, options } of LOOKS) {
  test(`no screen breaks a rule or scrolls sideways: ${name}`, async (t) => {
    const alice = await person(browser, options);
    t.after(alice.close);
    const page = await alice.page();
    await page.goto(`${demo.origin}/?login_error=access_denied&request_id=r-1`);
    await signedOut(page);
    await clean(page, 'signed out, after a sign-in that failed');

    await toTheProvider(page);
    await clean(page, 'the form of the provider');
    await fillIn(page, demo.user, 'wrong');
    await page.locator('[role=alert]').waitFor();
    await clean(page, 'the form again');

    await signIn(page, demo);
    await at(page, 'call-orders').click();
    await at(page, 'api-status').waitFor();
    await at(page, 'userinfo').click();
    await page.locator('#userinfo-result h3').waitFor();
    await at(page, 'run-attacks').click();
    await reads(page, '[data-testid=lab-summary]', /failed/);
    await clean(page, 'signed in, everything on show');
    await at(page, 'call-api').click();
    await page.locator('.facts').waitFor();
    await clean(page, 'with what the API received');

    const [evil] = await Promise.all([alice.context.waitForEvent('page'), at(page, 'attacker').click()]);
    await evil.waitForLoadState();
    await clean(evil, 'the attacker’s page');
    await at(evil, 'attack').click();
    await reads(evil, '[data-testid=verdict]', /succeeded/);
    await clean(evil, 'the attacker’s page after the attack');
    const [loot] = await Promise.all([alice.context.waitForEvent('page'), at(page, 'leak-by-leaving').click()]);
    await loot.waitForLoadState();
    await clean(loot, 'the loot');
  });
}

/** @param {import('playwright-core').Page} page @param {string} screen */
async function clean(page, screen) {
  // Injected by the browser's own tools, which the page's policy does not bind; axe itself keeps within the policy.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  assert.deepEqual(
    violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.target).slice(0, 3).join(' ')}`),
    [],
    screen,
  );
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(overflow <= 0, `${screen} scrolls sideways by ${overflow} px`);
}
