import { byId, element, setText } from '../element.js';
import { PLACES } from '../page-stores.js';

/** @typedef {import('../token-handler.js').TokenHandler} TokenHandler */

/**
 * Looks for tokens wherever script can look, again and again, and says what is there.
 * @param {TokenHandler} handler
 */
export function wherePanel(handler) {
  const body = byId('token-table', HTMLTableElement).tBodies[0];
  const cells = new Map([...PLACES.map((place) => place.name), HEADERS, BODY, SNAPSHOT].map((name) => [name, row(name)]));
  body?.append(...[...cells.values()].flatMap((cell) => cell.parentElement ?? []));

  /**
   * @param {string} name
   * @param {string} text
   * @param {boolean} alarm
   */
  function report(name, text, alarm) {
    const cell = cells.get(name);
    if (!cell) return;
    setText(cell, text);
    cell.className = alarm ? 'alarm' : 'calm';
  }

  async function look() {
    for (const { name, look } of PLACES) {
      try {
        const found = await look();
        if (found === null) report(name, 'not offered by this browser', false);
        else if (found.length === 0) report(name, 'empty', false);
        else report(name, `${found.some(isOurs) ? 'OURS, and should not be' : 'nothing of ours'}: ${found.join(', ')}`, found.some(isOurs));
      } catch {
        report(name, 'the browser refuses to look', false); // storage blocked by a setting
      }
    }
    const snapshot = JSON.stringify(handler.session);
    report(SNAPSHOT, TOKEN.test(snapshot) ? 'something that looks like a token' : `no token: ${Object.keys(handler.session).join(', ')}`, TOKEN.test(snapshot));
  }

  byId('look-again', HTMLButtonElement).addEventListener('click', look);
  handler.subscribe(look);
  setInterval(() => document.visibilityState === 'visible' && look(), 3000);
  void look();

  return {
    /**
     * @param {string} path
     * @param {Response} response
     * @param {string} text
     */
    sawResponse(path, response, text) {
      const headers = [...response.headers];
      const secret = headers.some(([name, value]) => SECRET_HEADERS.has(name) || TOKEN.test(value));
      report(HEADERS, `${secret ? 'something that looks like a token' : 'no token'} in ${headers.length} headers of ${path}: ${headers.map(([name]) => name).join(', ')}`, secret);
      report(BODY, `${TOKEN.test(text) ? 'something that looks like a token' : 'no token'} in the body of ${path}`, TOKEN.test(text));
      void look();
    },
  };
}

/** @param {string} name */
function row(name) {
  const cell = element('td', { 'data-place': name, class: 'quiet' }, name === HEADERS || name === BODY ? 'no call made yet' : '…');
  element('tr', {}, element('th', { scope: 'row' }, name.includes(' ') ? name : element('code', {}, name)), cell);
  return cell;
}

/** @param {string} name */
function isOurs(name) {
  return name.startsWith('__Host-Http-');
}

const HEADERS = 'readable response headers';
const BODY = 'response body';
const SNAPSHOT = 'the client’s own memory';

/** Fetch never shows these to script; listed so that the day it does, the table turns red. */
const SECRET_HEADERS = new Set(['set-cookie', 'authorization']);

/** A JWT: three or more base64url parts, the first beginning like `{"`. An opaque token cannot be told from other text. */
const TOKEN = /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/;
