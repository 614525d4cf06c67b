/** What a person does at a site of `site.js`, in either engine. */

import assert from 'node:assert/strict';
import { until } from './engines.js';

/** @typedef {import('./engines.js').Tab} Tab */
/** @typedef {import('./site.js').Site} Site */

/** What the page knows of the session. @param {Tab} tab */
export const session = (tab) => until(() => tab.run(() => window.handler?.ready.then(() => window.handler.session)), (known) => Boolean(known), 'a session');

/** What the page's client was told, in order. @param {Tab} tab @returns {Promise<{event: string, [name: string]: unknown}[]>} */
export const told = (tab) => tab.run(() => window.told);

/** @param {Tab} tab @param {string} selector */
const shows = (tab, selector) => until(() => tab.run((found) => document.querySelector(found) !== null, selector), Boolean, `${selector} at ${tab.url()}`);

/** Opens the site, where nobody is signed in, and leaves for the provider's form. @param {Tab} tab @param {Site} site */
export async function toTheForm(tab, site) {
  await tab.go(`${site.page}orders/42?tab=x#y`);
  assert.deepEqual(await session(tab), { status: 'anonymous', reason: 'none' });
  await tab.run(() => void window.handler.login());
  await shows(tab, 'input[name=login]');
}

/** Fills in the form and says yes to what follows; the way back is not waited for. @param {Tab} tab @param {string} user */
export async function fillInForm(tab, user, consents = true) {
  await tab.fill('input[name=login]', user);
  await tab.fill('input[name=password]', 'any will do');
  await tab.fill('button[type=submit]');
  if (!consents) return;
  await shows(tab, 'input[name=prompt][value=consent]');
  await tab.fill('button[type=submit]');
}

/** @param {Tab} tab @param {Site} site */
export async function isBack(tab, site) {
  await until(async () => tab.url(), (url) => url.startsWith(site.page), 'the way back');
}

/** From the page to the forms and back. @param {Tab} tab @param {Site} site @param {string} [user] */
export async function signIn(tab, site, user = 'alice') {
  await toTheForm(tab, site);
  await fillInForm(tab, user);
  await isBack(tab, site);
  assert.equal((await session(tab)).status, 'authenticated');
}

/** The session's cookies as the browser keeps them, by their short names. @param {Tab} tab */
export async function sessionCookies(tab) {
  const ours = (await tab.cookies()).filter(({ name }) => /^__Host-Http-shop-(at|rt|id)/.test(name));
  return Object.fromEntries(ours.map(({ name, value }) => [name, value]));
}
