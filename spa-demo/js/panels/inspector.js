import { byId, element, setText } from '../element.js';

/** @typedef {import('../token-handler.js').TokenHandler} TokenHandler */
/** @typedef {import('../token-handler.js').Session} Session */

/**
 * The session as the client knows it: all of `handler.session`, and how it came to be so.
 * @param {TokenHandler} handler
 */
export function inspectorPanel(handler) {
  const facts = byId('snapshot', HTMLDListElement);
  const log = byId('history', HTMLOListElement);
  /** @type {Map<string, HTMLElement>} */
  const cells = new Map();

  function tick() {
    const shown = Object.entries(handler.session).map(([name, value]) => [name, words(name, value)]);
    for (const [name, row] of cells) {
      if (!shown.some(([other]) => other === name)) {
        row.parentElement?.remove();
        cells.delete(name);
      }
    }
    for (const [name = '', text = ''] of shown) {
      const cell = cells.get(name) ?? element('dd', { 'data-field': name });
      if (!cells.has(name)) {
        cells.set(name, cell);
        facts.append(element('div', { class: 'row' }, element('dt', {}, element('code', {}, name)), cell));
      }
      setText(cell, text);
    }
  }

  /** @type {Session} */
  let before = { status: 'loading' };
  handler.subscribe((session) => {
    const change = changeBetween(before, session);
    before = session;
    tick();
    if (change) write(change);
  });
  handler.on('loggedout', ({ reason, from }) => write(element('code', {}, 'loggedout'), ` told: ${reason}, from ${from.replace('_', ' ')}`));
  handler.on('expiring', ({ seconds }) => write(element('code', {}, 'expiring'), ` told: ${seconds} s`));
  handler.on('superseded', ({ by }) => write(element('code', {}, 'superseded'), ` told: by a ${by}`));

  /** @param {import('../element.js').Child[]} change */
  function write(...change) {
    log.querySelector('.quiet')?.remove();
    log.prepend(element('li', {}, element('time', {}, new Date().toLocaleTimeString()), ' ', ...change));
    while (log.children.length > MOST) log.lastElementChild?.remove();
  }

  setInterval(tick, 1000);
  tick();
}

/** @param {string} name @param {unknown} value */
function words(name, value) {
  if (name.endsWith('At') && typeof value === 'number') return `in ${Math.max(0, Math.round((value - performance.now()) / 1000))} s`;
  if (name === 'claims') return `${Object.keys(Object(value)).length} claims, see “Who am I?”`;
  if (name === 'handle') return `${String(value).slice(0, 8)}…`; // enough to see that it is another one
  return String(value);
}

/** @param {Session} before @param {Session} after */
function changeBetween(before, after) {
  if (after.status !== before.status) return after.status === 'anonymous' ? `anonymous: ${after.reason}` : after.status;
  if (after.status === 'anonymous' && before.status === 'anonymous' && after.reason !== before.reason) return `anonymous: ${after.reason}`;
  if (after.status !== 'authenticated' || before.status !== 'authenticated') return null;
  if (after.claims.sub !== before.claims.sub) return 'somebody else';
  if (after.expiring !== before.expiring) return after.expiring ? 'about to expire' : 'no longer about to expire';
  const moved = (after.accessExpiresAt ?? 0) - (before.accessExpiresAt ?? 0);
  if (moved > 2000) return 'a new access token';
  if (moved < -2000) return 'an access token that ends sooner';
  return null;
}

const MOST = 6;
