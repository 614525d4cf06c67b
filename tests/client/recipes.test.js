/** The recipes of `examples/recipes/`, bundled and run against the fake handler of this folder. */

import assert from 'node:assert/strict';
import { mkdir, rm } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { Window } from 'happy-dom';
import { createElement } from 'react'; // with its scheduler before the clock of the world stands still
import { createRoot } from 'react-dom/client';
import { root } from '../support/binary.js';
import { World, json as answer, refusal } from './world.js';

// Inside tests/, so that what is left out of the bundle is found in its node_modules.
const FOLDER = `${root}tests/node_modules/.cache/recipes/`;

before(() => mkdir(FOLDER, { recursive: true }));
after(() => rm(FOLDER, { recursive: true, force: true }));

/**
 * Some recipes as one module. The client itself stays outside: an error has to be of the same class for all.
 * @param {string[]} names
 */
async function recipe(...names) {
  const outfile = `${FOLDER}${names.join('+')}.mjs`;
  await build({
    stdin: { contents: names.map((name) => `export * from './${name}';`).join('\n'), resolveDir: `${root}examples/recipes` },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    jsx: 'automatic',
    tsconfigRaw: {},
    external: ['react', 'react/jsx-runtime', 'react-dom', '@tanstack/react-query', 'axios'],
    logLevel: 'silent',
    plugins: [
      {
        name: 'client',
        setup: (bundle) => bundle.onResolve({ filter: /token-handler\.js$/ }, () => ({ path: pathToFileURL(`${root}spa-demo/js/token-handler.js`).href, external: true })),
      },
    ],
  });
  return import(pathToFileURL(outfile).href);
}

test('fetch.ts: JSON in and out, and a refusal of the handler told from one of the API', async (t) => {
  const { json, HttpError, mayRetry } = await recipe('fetch.ts');
  const world = new World(t);
  world.server.signIn();
  const tab = await world.tab();
  assert.deepEqual(await json(tab, '/api/orders'), { path: '/api/orders', body: '' });
  world.server.once('GET /api/x', () => answer({}, 401));
  await assert.rejects(json(tab, '/api/x'), (error) => error instanceof HttpError && error.status === 401 && error.code === '' && !mayRetry(error));
  world.server.once('GET /api/x', () => refusal(503, 'overloaded'));
  await assert.rejects(json(tab, '/api/x'), (error) => error.code === 'overloaded' && mayRetry(error));
  world.server.offline = true;
  await assert.rejects(json(tab, '/api/x'), mayRetry);
});

test('fetch.ts: an API that asks for a stronger sign-in gets one, with its own values', async (t) => {
  const { json } = await recipe('fetch.ts');
  const world = new World(t);
  world.server.signIn();
  const tab = await world.tab();
  world.server.once('POST /api/transfer', () => {
    const challenge = refusal(401, 'step_up_required');
    return new Response(JSON.stringify({ error_code: 'step_up_required', acr_values: 'gold', max_age: 300 }), challenge);
  });
  await assert.rejects(json(tab, '/api/transfer', { method: 'POST' }), { code: 'step_up_required' });
  const asked = JSON.parse(world.server.seen.at(-1)?.body ?? '');
  assert.deepEqual(asked, { return_to: '/orders/42?tab=x#y', acr_values: 'gold', max_age: 300 });
  assert.equal(world.left.length, 1);
});

test('axios.ts: calls go through the handler, are renewed once, and errors stay Axios errors', async (t) => {
  const { createAxios } = await recipe('axios.ts');
  const world = new World(t);
  world.server.signIn();
  const tab = await world.tab();
  const client = createAxios(tab, 'https://shop.example.com/api');
  world.server.once('POST /api/orders', () => refusal(401, 'access_token_expired'));
  const { data } = await client.post('/orders', { item: 'coat' });
  assert.deepEqual(data, { path: '/api/orders', body: '{"item":"coat"}' });
  assert.equal(world.server.refreshes, 1);
  assert.equal(world.server.seen.at(-1)?.headers.get('token-handler-version'), '1');
  world.server.once('GET /api/x', () => answer({ why: 'no' }, 403));
  await assert.rejects(client.get('/x'), (error) => error.isAxiosError && error.response.status === 403 && error.response.data.why === 'no');
});

test('tanstack-query.ts: no retry where it cannot help, and nothing is left for the next user', async (t) => {
  const { createQueryClient, json } = await recipe('tanstack-query.ts', 'fetch.ts');
  const world = new World(t);
  world.server.signIn();
  const tab = await world.tab();
  const client = createQueryClient(tab);
  t.after(() => client.clear());
  const orders = { queryKey: ['orders'], queryFn: () => json(tab, '/api/orders') };
  await tab.reload();
  await client.fetchQuery(orders);
  assert.ok(client.getQueryData(['orders']));

  const retry = client.getDefaultOptions().queries.retry;
  const refused = await json(tab, '/apiary').catch((error) => error);
  assert.equal(retry(0, refused), false);
  world.server.once('GET /api/x', () => refusal(503, 'provider_unavailable'));
  const down = await json(tab, '/api/x').catch((error) => error);
  assert.deepEqual([retry(0, down), retry(2, down)], [true, false], 'twice, where it may help');

  await tab.reload();
  assert.ok(client.getQueryData(['orders']), 'the same user keeps what was loaded');
  await tab.logout();
  assert.equal(client.getQueryData(['orders']), undefined);
});

test('events.ts: what one user saw is forgotten in every tab, and each end is told in words', async (t) => {
  const { followSession } = await recipe('events.ts');
  const world = new World(t);
  world.server.signIn('alice', { access: 10_000, idle: 90 });
  /** @type {string[][]} */
  const said = [[], []];
  for (const sentences of said) {
    const opened = world.tab();
    followSession(world.tabs.at(-1), { forget: () => sentences.push('forgotten'), say: (sentence) => sentences.push(sentence) });
    await opened;
  }
  await world.settle();
  for (const sentences of said) assert.deepEqual(sentences.splice(0), ['You will be signed out in 2 min unless you go on.']);
  world.server.once('GET /api/x', () => refusal(409, 'refresh_superseded'));
  const call = world.tabs[0].fetch('/api/x');
  await world.advance(1);
  assert.equal((await call).status, 200);
  world.server.signIn('bob');
  await world.tabs[0].reload();
  await world.settle();
  for (const sentences of said) assert.deepEqual(sentences.splice(0), ['forgotten', 'Somebody signed in anew in another tab.']);
  await world.tabs[0].logout();
  await world.settle();
  assert.deepEqual(said.map((sentences) => sentences.splice(0)), [['forgotten', 'You have signed out.'], ['forgotten', 'You have signed out in another tab.']]);
  for (const [reason, sentence] of [['expired', 'Your session has expired.'], ['revoked', 'Your session was ended from elsewhere.']]) {
    world.server.signIn('carol');
    await world.tabs[0].reload();
    await world.settle();
    world.server.end(reason);
    await world.tabs[0].reload();
    await world.settle();
    for (const sentences of said) assert.deepEqual(sentences.splice(0), ['forgotten', sentence]);
  }
});

test('react.tsx: the hook follows the session, and the warning can be answered', async (t) => {
  const { SignedIn } = await recipe('react.tsx');
  const world = new World(t);
  const dom = new Window();
  for (const name of ['window', 'document']) {
    const was = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value: name === 'window' ? dom : dom.document, configurable: true, writable: true });
    t.after(() => (was ? Object.defineProperty(globalThis, name, was) : delete globalThis[name]));
  }
  t.after(() => dom.happyDOM.close());
  const tab = await world.tab();
  const place = dom.document.body.appendChild(dom.document.createElement('div'));
  const view = createRoot(/** @type {any} */ (place));
  view.render(createElement(SignedIn, { handler: tab }, 'the orders'));
  await shows(place, 'Sign in');

  world.server.signIn('alice', { access: 10_000, idle: 300 });
  await tab.reload();
  await shows(place, 'the orders');
  await world.advance(190);
  await shows(place, 'You will be signed out soon. Stay signed inthe orders');
  place.querySelector('button')?.click();
  await world.settle();
  await shows(place, 'the orders');
  await tab.logout();
  await shows(place, 'Sign in');
  view.unmount(); // here, while there is a window
  await world.settle();
});

/** React renders when it finds the time. @param {{textContent: string | null}} place @param {string} text */
async function shows(place, text) {
  for (const deadline = Date.now() + 5000; place.textContent !== text && Date.now() < deadline; ) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(place.textContent, text);
}
