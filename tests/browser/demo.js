/**
 * `cloakroom demo` and a real Chromium in front of it. The demo is found by its banner alone, as a person finds it.
 */

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { binary, root } from '../support/binary.js';
import { Child, freePort } from '../support/child.js';

const SCREENSHOTS = `${root}target/screenshots/`;
const PICTURES = `${root}docs/pictures/`;
/** Pixels: what is below, the text tells. */
const TALLEST = 1200;
/** Nothing may go out: no updates, no metrics, no QUIC. */
export const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
];

/** Starts the demo on a free port and reads its banner. @param {Record<string, string>} [env] */
export async function startDemo(env = {}) {
  const child = new Child(binary(), ['demo', '--port', String(await freePort())], { env: { ...process.env, NO_COLOR: '1', ...env } });
  try {
    const banner = await child.until(() => read(child.output), 'a banner with an address and a person');
    const { origin, port } = new URL(banner.address);
    await child.listening(Number(port));
    return { child, origin, ...banner, stop: () => child.stop() };
  } catch (error) {
    await child.stop();
    throw error;
  }
}

/** The first address and the first person of the banner. @param {string} banner */
function read(banner) {
  const address = /https?:\/\/[^\s"'<>]+/.exec(banner)?.[0];
  const person = /\b([a-z]+) \/ (\S+)/.exec(banner);
  return address && person && { address, user: person[1], password: person[2] };
}

/** @typedef {Awaited<ReturnType<typeof startDemo>>} Demo */

/** @param {string[]} [flags] */
export function launch(flags = []) {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: [...FLAGS, ...flags] });
}

/**
 * One person's browser profile. `complaints` collects what a developer would see in red: console errors, uncaught
 * exceptions, violations of the Content-Security-Policy.
 * @param {import('playwright-core').Browser} browser
 */
export async function person(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(15_000);
  /** @type {string[]} */
  const complaints = [];
  context.on('weberror', (error) => complaints.push(`uncaught: ${error.error()}`));
  context.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()} (${message.location().url})`);
  });
  await context.exposeFunction('__violation', (/** @type {string} */ what) => complaints.push(`CSP: ${what}`));
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) =>
      window.__violation(`${event.violatedDirective} ${event.blockedURI} on ${event.documentURI}`),
    );
  });
  return {
    context,
    complaints,
    page: () => context.newPage(),
    close: () => context.close(),
    /** Fails with what was seen in red. */
    calm: () => assert.deepEqual(complaints, [], 'red lines in the console'),
  };
}

/**
 * Listens to what Chromium's network stack says of every hop, redirects and answers withheld from the page included:
 * which cookies it sent, which it kept back and why, which `Set-Cookie` lines it refused, and how the server answered.
 *
 * @typedef {{name: string, reasons: string[]}} Verdict
 * @typedef {{url: URL, method: string, sent: string[], keptBack: Verdict[], refused: Verdict[], status: number, headers: Record<string, string>}} Hop
 * @param {import('playwright-core').Page} page
 */
export async function listen(page) {
  // A chain of redirects has one id: the n-th event of each kind tells of its n-th hop.
  /** @type {Map<string, {requests: any[], sent: any[], received: any[]}>} */
  const chains = new Map();
  const chain = (/** @type {string} */ id) => {
    if (!chains.has(id)) chains.set(id, { requests: [], sent: [], received: [] });
    return chains.get(id);
  };
  const cdp = await page.context().newCDPSession(page);
  cdp.on('Network.requestWillBeSent', (event) => chain(event.requestId).requests.push(event.request));
  cdp.on('Network.requestWillBeSentExtraInfo', (event) => chain(event.requestId).sent.push(event));
  cdp.on('Network.responseReceivedExtraInfo', (event) => chain(event.requestId).received.push(event));
  await cdp.send('Network.enable');
  /** Every hop that has been answered. @returns {Hop[]} */
  const hops = () =>
    [...chains.values()].flatMap(({ requests, sent, received }) =>
      requests.slice(0, received.length).map(({ url, method }, n) => {
        const cookies = sent[n]?.associatedCookies ?? [];
        return {
          url: new URL(url),
          method,
          sent: cookies.filter((c) => c.blockedReasons.length === 0).map((c) => c.cookie.name),
          keptBack: cookies.filter((c) => c.blockedReasons.length > 0).map((c) => ({ name: c.cookie.name, reasons: c.blockedReasons })),
          refused: received[n].blockedCookies.map((c) => ({ name: c.cookie?.name ?? c.cookieLine.split('=')[0], reasons: c.blockedReasons })),
          status: received[n].statusCode,
          headers: lowerCase(received[n].headers),
        };
      }),
    );
  return {
    hops,
    /**
     * The hops that `which` picks, once there are as many as `count`: the page may know its answers before we are told.
     * @param {number} count @param {(hop: Hop) => boolean} which
     */
    async atLeast(count, which) {
      for (const deadline = Date.now() + 10_000; ; await pause(20)) {
        const found = hops().filter(which);
        if (found.length >= count || Date.now() > deadline) return found;
      }
    },
  };
}

/** @param {Record<string, string>} headers */
function lowerCase(headers) {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

export const at = (/** @type {import('playwright-core').Page} */ page, /** @type {string} */ id) => page.getByTestId(id);

/** Waits until the page says that somebody is signed in. @param {import('playwright-core').Page} page */
export async function signedIn(page) {
  await at(page, 'sign-out').waitFor({ state: 'visible' });
}

/** Waits until the page says that nobody is. @param {import('playwright-core').Page} page */
export async function signedOut(page) {
  await at(page, 'sign-in').waitFor({ state: 'visible' });
}

/** Presses the button and waits for the provider's form. @param {import('playwright-core').Page} page */
export async function toTheProvider(page) {
  await at(page, 'sign-in').click();
  await page.locator('input[name=username]').waitFor();
}

/** Fills in the provider's form. @param {import('playwright-core').Page} page @param {string} user @param {string} password */
export async function fillIn(page, user, password) {
  await page.locator('input[name=username]').fill(user);
  await page.locator('input[name=password]').fill(password);
  await page.locator('button[type=submit], input[type=submit]').first().click();
}

/**
 * From the page to the form and back. @param {import('playwright-core').Page} page @param {Demo} demo
 * @param {string} [path] where the person is when they press the button
 */
export async function signIn(page, demo, path = '/') {
  await page.goto(new URL(path, demo.origin).href);
  await toTheProvider(page);
  await fillIn(page, demo.user, demo.password);
  await signedIn(page);
}

/** The session's cookies as the browser keeps them. @param {import('playwright-core').BrowserContext} context @param {Demo} demo */
export async function ourCookies(context, demo) {
  const cookies = await context.cookies(demo.origin);
  return cookies.filter((cookie) => cookie.name.startsWith('__Host-Http-')).sort((a, b) => a.name.localeCompare(b.name));
}

/** What comes back for the request that `act` makes. @param {import('playwright-core').Page} page @param {string} path @param {() => Promise<void>} act */
export async function answerTo(page, path, act) {
  const [answer] = await Promise.all([page.waitForResponse((response) => new URL(response.url()).pathname === path), act()]);
  return answer;
}

/**
 * Waits until the first element of `selector` reads so; says what it read when it does not.
 * @param {import('playwright-core').Page} page @param {string} selector @param {string | RegExp} text
 */
export async function reads(page, selector, text) {
  const holds = (/** @type {string} */ found) => (typeof text === 'string' ? found === text : text.test(found));
  for (const deadline = Date.now() + 20_000; ; await pause(20)) {
    const found = (await page.locator(selector).first().textContent()) ?? '';
    if (holds(found)) return found;
    if (Date.now() > deadline) assert.fail(`${selector} reads “${found}”, not ${text}`);
  }
}

/**
 * Keeps a picture below target/: of the whole page, or of one part of it. With CLOAKROOM_PICTURES set those of `MANUAL` are
 * written for the manual, too, as WebP: a checkout stays clean unless somebody asks for new ones.
 * @param {import('playwright-core').Page} page @param {string} name @param {string} [part]
 */
export async function picture(page, name, part) {
  await mkdir(SCREENSHOTS, { recursive: true });
  const shot = { path: `${SCREENSHOTS}${name}.png`, animations: /** @type {const} */ ('disabled') };
  await (part ? page.locator(part).screenshot(shot) : page.screenshot({ ...shot, fullPage: true }));
  if (!process.env.CLOAKROOM_PICTURES || !part || !MANUAL.has(name)) return;
  const box = (await page.locator(part).boundingBox()) ?? assert.fail(part);
  const { x, y } = await page.evaluate(() => ({ x: scrollX, y: scrollY }));
  const cdp = await page.context().newCDPSession(page);
  const clip = { x: box.x + x, y: box.y + y, width: box.width, height: Math.min(box.height, TALLEST), scale: 1 };
  const { data } = await cdp.send('Page.captureScreenshot', { format: 'webp', quality: 80, clip, captureBeyondViewport: true });
  await mkdir(PICTURES, { recursive: true });
  await writeFile(`${PICTURES}${name}.webp`, Buffer.from(data, 'base64'));
}

/** The pictures that the manual shows. */
const MANUAL = new Set(['ticket', 'panel-call', 'panel-tabs', 'panel-session', 'panel-lab', 'attacker']);
