/** The Vite and React example: built, and driven through Vite's proxy with a real sign-in. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { startWorld } from '../interop/world.js';
import { Child, run } from '../support/child.js';
import { EXAMPLE, copies, install } from '../support/example.js';
import { at, launch, person, picture, reads } from './demo.js';

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  await install();
  browser = await launch();
});
after(() => browser?.close());

/** @param {string[]} args @param {Record<string, string>} [env] */
function vite(args, env = {}) {
  return /** @type {const} */ ([process.execPath, [`${EXAMPLE}node_modules/vite/bin/vite.js`, ...args], { cwd: EXAMPLE, env: { ...process.env, ...env, NO_COLOR: '1' } }]);
}

test('the copies of client and recipes in the example are the files they were copied from', async () => {
  for (const { path, text } of await copies()) assert.equal(await readFile(path, 'utf8'), text, 'copy them anew: cd tests && node support/example.js');
});

test('the example compiles under tsc --strict and builds', async () => {
  const checked = await run(process.execPath, [`${EXAMPLE}node_modules/typescript/bin/tsc`, '--noEmit'], { cwd: EXAMPLE });
  assert.equal(checked.code, 0, checked.output);
  const built = await run(...vite(['build']));
  assert.equal(built.code, 0, built.output);
  assert.match(await readFile(`${EXAMPLE}dist/index.html`, 'utf8'), /<script type="module" crossorigin src="\/assets\/index-[\w-]{8}\.js">/);
});

for (const command of ['dev', 'preview']) {
  test(`through the proxy of vite ${command} a person signs in, reads their orders and signs out`, async (t) => {
    const world = await startWorld({
      async gateway({ port, upstreams: [upstream] }) {
        const server = new Child(...vite([command, '--port', String(port)], { CLOAKROOM: `http://localhost:${upstream}` }));
        await server.until(() => server.output.includes(`http://localhost:${port}/`), 'a word that it is ready', 60);
        return server;
      },
    });
    t.after(world.stop);
    const alice = await person(browser);
    t.after(alice.close);
    const page = await alice.page();
    // The API of this world answers something else; what it is asked, and with what, stays real.
    await page.route('**/api/orders', async (route) => route.fulfill({ response: await route.fetch(), json: { owner: 'alice', orders: [{ id: 1, item: 'coat', status: 'hanging' }] } }));

    await page.goto(`${world.origin}/?from=mail`);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.locator('input[name=login]').fill('alice');
    await page.locator('input[name=password]').fill('any will do');
    await page.locator('button[type=submit]').click();
    await page.getByRole('button', { name: 'Continue' }).click();

    await reads(page, '[data-testid=orders]', 'coat: hanging');
    assert.equal(new URL(page.url()).search, '?from=mail');
    assert.match(world.api.calls.at(-1)?.headers.authorization ?? '', /^Bearer /);
    assert.equal(world.api.calls.at(-1)?.headers.cookie, undefined);
    await reads(page, '[data-testid=user-name]', 'alice');
    if (command === 'dev') await picture(page, 'vite-react');

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: /Yes, sign me out/ }).click();
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    assert.equal(new URL(page.url()).origin, world.origin);
    assert.equal(await at(page, 'orders').count(), 0);
    assert.deepEqual(alice.complaints.filter((line) => line.includes(world.origin)), []);
  });
}
