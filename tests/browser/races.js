/** Five tabs of one browser, and tokens that are over when a test says so. */

import assert from 'node:assert/strict';
import http from 'node:http';
import { startDemo } from './demo.js';
import { until } from './engines.js';
import { startSite } from './site.js';
import { TOPOLOGIES } from './topologies.js';
import { session, signIn, told } from './visitor.js';

/** @typedef {import('./engines.js').Tab} Tab */
/** @typedef {import('./site.js').Site & {front: import('./front.js').Front}} RaceSite */

export const TABS = 5;
export const CALLS = 20;
const LONG = Boolean(process.env.CLOAKROOM_LONG);
/** How often the race is run. @type {Record<string, number>} */
export const ROUNDS = LONG ? { Chromium: 50, Firefox: 50 } : { Chromium: 5, Firefox: 2 };
/** Milliseconds for all of them. */
export const PATIENCE = LONG ? 900_000 : 240_000;

export const isApiCall = (/** @type {import('./front.js').Passing} */ { path }) => path.startsWith('/api/');
export const isRefresh = (/** @type {import('./front.js').Passing} */ { path }) => path === '/oauth-agent/refresh';
export const isCallback = (/** @type {import('./front.js').Passing} */ { path }) => path.startsWith('/oauth-agent/callback?');
export const isLogout = (/** @type {import('./front.js').Passing} */ { path }) => path === '/oauth-agent/logout';

/**
 * A site behind HTTP/2, and one tab that is nowhere yet.
 * @param {import('node:test').TestContext} t
 * @param {{person: () => Promise<Tab>}} browser
 * @param {{mode?: 'inline' | 'spa', lines?: string, routes?: string}} [options] `lines`: further ones of `[app.session]`
 */
export async function openSite(t, browser, { mode = 'inline', lines = '', routes } = {}) {
  const topology = TOPOLOGIES.find(({ https, page, handler }) => https && page === handler) ?? assert.fail();
  const site = /** @type {RaceSite} */ (await startSite(topology, { session: `refresh = "${mode}"\n${lines}`, ...(routes && { routes }) }));
  t.after(site.stop);
  const first = await browser.person();
  t.after(first.close);
  return { site, first };
}

/**
 * The same with somebody signed in, and as many tabs open.
 * @param {import('node:test').TestContext} t
 * @param {{person: () => Promise<Tab>}} browser
 * @param {{mode?: 'inline' | 'spa', lines?: string, routes?: string, count?: number, prepare?: (tab: Tab) => Promise<void>}} [options]
 */
export async function openTabs(t, browser, { count = TABS, prepare = async () => {}, ...options } = {}) {
  const { site, first } = await openSite(t, browser, options);
  await prepare(first);
  await signIn(first, site);
  const tabs = [first];
  while (tabs.length < count) {
    const tab = await first.another();
    await prepare(tab);
    await tab.go(site.page);
    assert.equal((await session(tab)).status, 'authenticated');
    tabs.push(tab);
  }
  return { site, tabs };
}

/**
 * The demo with somebody signed in, and its tabs, each with a client of the test's own beside the page's.
 * @param {import('node:test').TestContext} t @param {{person: () => Promise<Tab>}} browser
 */
export async function openDemoTabs(t, browser) {
  const demo = await startDemo({ CLOAKROOM_LOG: 'cloakroom=debug' });
  t.after(demo.stop);
  const first = await browser.person();
  t.after(first.close);
  const tabs = [first];
  while (tabs.length < TABS) tabs.push(await first.another());
  await first.go(demo.address);
  await until(() => first.run(() => document.documentElement.dataset.session), (status) => status === 'anonymous', 'a way in');
  await first.fill('[data-testid=sign-in]');
  await until(async () => first.run(() => document.querySelector('input[name=username]') !== null), Boolean, 'the form');
  await first.fill('input[name=username]', demo.user);
  await first.fill('input[name=password]', demo.password);
  await first.fill('button[type=submit]');
  await until(async () => first.url(), (url) => url.startsWith(demo.origin), 'the way back');
  for (const tab of tabs) {
    if (tab !== first) await tab.go(demo.address);
    await until(() => tab.run(() => document.documentElement.dataset.session), (status) => status === 'authenticated', 'a session');
    await tab.run(async () => {
      const { createTokenHandler } = await import('/js/token-handler.js');
      window.racing = createTokenHandler();
      window.told = [];
      for (const event of ['loggedout', 'superseded']) window.racing.on(event, (what) => window.told.push({ event, ...what }));
      await window.racing.ready;
    });
  }
  return { demo, tabs };
}

/** Presses the demo's button, and waits until the token is over. @param {Tab} tab */
export async function expireNow(tab) {
  await tab.run(() => void (document.getElementById('announcer').textContent = ''));
  await tab.fill('[data-testid=expire-now]');
  await until(() => tab.run(() => document.getElementById('announcer').textContent), (said) => /access token is over/.test(said), 'the end of the token');
}

/**
 * All that the demo has logged by now: up to the refusal of a call that is made for this.
 * @param {import('./demo.js').Demo} demo @param {Tab} tab
 */
export async function logUntilNow(demo, tab) {
  const id = await tab.run(async () => (await fetch('/api/echo')).headers.get('x-request-id')); // without the header: refused, and logged
  assert.match(id ?? '', /^[0-9a-f]{32}$/);
  await demo.child.until(() => demo.child.output.includes(id), 'the line of a refusal');
  return demo.child.output;
}

/** What the demo's API says of the token that it received, in each of so many calls from each tab; of a refusal its code. @param {Tab[]} tabs @returns {Promise<string[]>} */
export async function echoFrom(tabs) {
  const answers = tabs.map((tab) =>
    tab.run(
      (calls) =>
        Promise.all(
          Array.from({ length: calls }, async () => {
            const answer = await window.racing.fetch('/api/echo');
            return answer.ok ? (await answer.json()).authorization.fingerprint : `${answer.status} ${answer.headers.get('token-handler-error')}`;
          }),
        ),
      CALLS,
    ),
  );
  return (await Promise.all(answers)).flat();
}

/** @param {RaceSite} site */
export const refreshes = (site) => site.provider.tokenRequests.filter(({ grant }) => grant === 'refresh_token');

/** The instant of expiry: the session's access token is over, and the one after it will live. @param {RaceSite} site @param {Tab} tab */
export async function tokenIsOver(site, tab) {
  const { knobs } = site.provider;
  Object.assign(knobs, { beforeToken: async () => {}, expiresIn: 0 });
  await tab.run(() => window.handler.refresh());
  knobs.expiresIn = null;
}

/**
 * From now on the provider rotates and holds its answers back until they are let go.
 * @param {RaceSite} site
 */
export function holdTokens(site) {
  let [open, asked] = [() => {}, () => {}];
  const opened = new Promise((resolve) => (open = () => resolve(null)));
  const reached = new Promise((resolve) => (asked = () => resolve(null)));
  site.provider.knobs.beforeToken = async () => {
    asked();
    await opened;
  };
  return { open, reached };
}

/**
 * What a copy of these cookies gets, outside any browser: a status.
 * @param {RaceSite} site @param {Record<string, string>} cookies @param {{method?: string, path?: string}} [where]
 * @returns {Promise<number>}
 */
export function replay(site, cookies, { method = 'GET', path = '/api/copy' } = {}) {
  const cookie = Object.entries(cookies).map((pair) => pair.join('=')).join('; ');
  const { host } = new URL(site.origin);
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port: site.port, method, path, headers: { host, cookie, 'token-handler-version': '1' } });
    request.once('response', (answer) => resolve(answer.resume().statusCode ?? 0)).once('error', reject).end();
  });
}

/** So many calls at once from each tab: their statuses, or what they failed with. @param {Tab[]} tabs @param {number} [calls] @returns {Promise<(number | string)[]>} */
export async function callFrom(tabs, calls = CALLS) {
  const answers = await Promise.all(
    tabs.map((tab, at) =>
      tab.run(
        ([tab, calls]) => Promise.all(Array.from({ length: calls }, (_, n) => window.handler.fetch(`/api/orders/${tab}-${n}`).then((answer) => answer.status, (error) => `${error.name}: ${error.message}`))),
        [at, calls],
      ),
    ),
  );
  return answers.flat();
}

/** Everybody is still signed in, and no tab was told anything. @param {RaceSite} site @param {Tab[]} tabs */
export async function allIsWell(site, tabs) {
  for (const tab of tabs) {
    assert.equal((await session(tab)).status, 'authenticated');
    assert.deepEqual(await told(tab), []);
  }
  assert.doesNotMatch(site.server.output, /session_ended|session_reuse_detected|session_renewal_rejected|panicked/);
}
