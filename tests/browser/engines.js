/**
 * Chromium and Firefox behind one small face: go somewhere, run script, fill in a form, list the cookies. What only one
 * of them tells (why a cookie was kept back) stays with `demo.js`.
 */

import { setTimeout as pause } from 'node:timers/promises';
import puppeteer from 'puppeteer-core';
import { launch as launchChromium } from './demo.js';
import { MAPPED } from './topologies.js';

/**
 * @typedef {{name: string, httpOnly: boolean, secure: boolean, sameSite: string, path: string, domain: string, value: string}} Kept
 * @typedef {object} Tab
 * @property {(url: string) => Promise<void>} go
 * @property {<T, A>(script: (argument: A) => T | Promise<T>, argument?: A) => Promise<T>} run Script of the page.
 * @property {<A>(script: (argument: A) => void, argument?: A) => Promise<void>} first What runs before the scripts of each page that comes.
 * @property {(selector: string, text?: string) => Promise<void>} fill Types, or presses where there is no text.
 * @property {() => string} url
 * @property {() => Promise<Kept[]>} cookies All of the browser.
 * @property {() => Promise<Tab>} another One more tab of the same person.
 * @property {() => Promise<void>} shut This tab alone.
 * @property {() => Promise<void>} close With everything that this person's browser knew.
 * @property {() => Promise<() => Promise<void>>} [sleep] Its script stands still, at the first statement that it would run, until it is
 *   woken by what comes back, which waits until it has come to that.
 *
 * @typedef {object} Engine
 * @property {string} name
 * @property {() => Promise<{person: () => Promise<Tab>, close: () => Promise<void>}>} launch
 */

/** @type {readonly Engine[]} */
export const ENGINES = [
  { name: 'Chromium', launch: launchMapped },
  { name: 'Firefox', launch: () => launchFirefox() },
];

async function launchMapped() {
  const browser = await launchChromium([`--host-resolver-rules=${MAPPED.map((host) => `MAP ${host} 127.0.0.1`).join(',')}`]);
  return {
    close: () => browser.close(),
    async person() {
      const context = await browser.newContext({ ignoreHTTPSErrors: true });
      context.setDefaultTimeout(20_000);
      return chromiumTab(context);
    },
  };
}

/** @param {import('playwright-core').BrowserContext} context @returns {Promise<Tab>} */
async function chromiumTab(context) {
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  return {
    go: async (url) => void (await page.goto(url)),
    run: (script, argument) => page.evaluate(/** @type {any} */ (script), argument),
    first: (script, argument) => page.addInitScript(/** @type {any} */ (script), argument),
    fill: (selector, text) => (text === undefined ? page.locator(selector).click({ noWaitAfter: true }) : page.locator(selector).fill(text)),
    url: () => page.url(),
    cookies: () => context.cookies(),
    another: () => chromiumTab(context),
    shut: () => page.close(),
    close: () => context.close(),
    // `Page.setWebLifecycleState` freezes only what is out of sight, which a headless tab never is.
    async sleep() {
      const standsStill = new Promise((resolve) => cdp.once('Debugger.paused', resolve));
      await cdp.send('Debugger.enable');
      await cdp.send('Debugger.pause');
      return async () => {
        await standsStill;
        await cdp.send('Debugger.resume');
        await cdp.send('Debugger.disable');
      };
    },
  };
}

/** @param {Record<string, unknown>} [preferences] */
export async function launchFirefox(preferences = {}) {
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
    headless: true,
    acceptInsecureCerts: true,
    extraPrefsFirefox: { ...QUIET, 'network.dns.localDomains': MAPPED.join(','), ...preferences },
  });
  return {
    close: () => browser.close(),
    person: async () => firefoxTab(await browser.createBrowserContext()),
  };
}

/** @param {import('puppeteer-core').BrowserContext} context @returns {Promise<Tab>} */
async function firefoxTab(context) {
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  return {
    go: async (url) => void (await page.goto(url)),
    run: (script, argument) => page.evaluate(script, argument),
    first: async (script, argument) => void (await page.evaluateOnNewDocument(script, argument)),
    async fill(selector, text) {
      await page.bringToFront(); // out of sight, Firefox draws at ever longer intervals, and a field is looked for at each drawing
      const field = await page.waitForSelector(selector);
      if (text === undefined) await field.click();
      else await field.type(text);
    },
    url: () => page.url(),
    cookies: async () => (await context.cookies()).map((cookie) => ({ ...cookie, sameSite: cookie.sameSite ?? 'None' })),
    another: () => firefoxTab(context),
    shut: () => page.close(),
    close: () => context.close(),
  };
}

/** Nothing may go out: no updates, no telemetry, no captive portal checks. */
const QUIET = {
  'app.update.enabled': false,
  'browser.safebrowsing.update.enabled': false,
  'datareporting.healthreport.uploadEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'network.proxy.type': 0,
  'toolkit.telemetry.enabled': false,
};

/** Asks until it is so. @template T @param {() => Promise<T>} ask @param {(answer: T) => boolean} holds @param {string} what */
export async function until(ask, holds, what) {
  let last;
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await pause(50)) {
    last = await ask().catch((error) => error); // a page that is being left cannot be asked
    if (!(last instanceof Error) && holds(last)) return last;
  }
  throw new Error(`${what}: ${last instanceof Error ? last.message : JSON.stringify(last)}`);
}

