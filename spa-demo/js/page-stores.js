/**
 * Every place where script of this page could find a token, each asked live. Names only: values are not needed to
 * show that none of them is ours, and other apps of this host may keep theirs here.
 */

/**
 * @typedef {object} Place
 * @property {string} name As a developer would write it.
 * @property {() => string[] | null | Promise<string[] | null>} look Names of what is there; null: this browser has no such place.
 */

/** @type {readonly Place[]} */
export const PLACES = [
  { name: 'document.cookie', look: () => cookieNames(document.cookie) },
  { name: 'cookieStore', look: async () => ('cookieStore' in window ? (await cookieStore.getAll()).map((cookie) => cookie.name ?? '') : null) },
  { name: 'localStorage', look: () => Object.keys(localStorage) },
  { name: 'sessionStorage', look: () => Object.keys(sessionStorage) },
  { name: 'indexedDB', look: async () => ('databases' in indexedDB ? (await indexedDB.databases()).map((database) => database.name ?? '') : null) },
  { name: 'caches', look: () => ('caches' in window ? caches.keys() : null) },
];

/** @param {string} jar */
function cookieNames(jar) {
  return jar.split(';').map((pair) => (pair.split('=')[0] ?? '').trim()).filter(Boolean);
}
