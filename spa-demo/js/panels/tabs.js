import { byId, element, setText } from '../element.js';

/** @typedef {import('../token-handler.js').TokenHandler} TokenHandler */

/**
 * The tabs of this app in this browser, and what their clients tell each other: that something happened, never what.
 * It only listens to the client's channel (where it hears the client of its own tab, too); who is there is told on another.
 */
export function tabsPanel() {
  const others = byId('other-tabs', HTMLParagraphElement);
  const log = byId('tab-news', HTMLOListElement);
  const me = `${crypto.getRandomValues(new Uint16Array(1))[0] ?? 0}`.padStart(5, '0').slice(-3);
  setText(byId('this-tab', HTMLElement), me);

  if (typeof BroadcastChannel === 'undefined') {
    setText(others, 'This browser has no BroadcastChannel: other tabs find out at their next call.');
    return;
  }

  /** @type {Map<string, number>} when a tab was last heard of */
  const known = new Map();
  const presence = new BroadcastChannel('cloakroom-demo-tabs');
  const say = (/** @type {string} */ word) => presence.postMessage({ word, from: me });
  presence.addEventListener('message', ({ data }) => {
    const from = String(data?.from);
    if (data?.word === 'bye') known.delete(from);
    else known.set(from, performance.now());
    if (data?.word === 'hello') say('here');
    render();
  });
  addEventListener('pagehide', () => say('bye'));
  addEventListener('pageshow', () => say('hello'));
  setInterval(() => {
    say('here');
    render();
  }, HEARTBEAT);

  function render() {
    // A tab in the background may speak no more than once a minute.
    for (const [tab, at] of known) if (performance.now() - at > FORGOTTEN) known.delete(tab);
    const names = [...known.keys()].sort();
    setText(others, names.length === 0 ? 'No other tab is open.' : `${names.length === 1 ? 'One other tab' : `${names.length} other tabs`}: ${names.join(', ')}.`);
  }
  render();

  const news = new BroadcastChannel(`token-handler:${new URL('/oauth-agent/', location.origin)}`);
  news.addEventListener('message', ({ data }) => {
    const sentence = NEWS.get(String(data?.type));
    if (!sentence) return;
    log.querySelector('.quiet')?.remove();
    log.prepend(element('li', {}, element('time', {}, new Date().toLocaleTimeString()), ' ', sentence));
    while (log.children.length > MOST) log.lastElementChild?.remove();
  });
}

const NEWS = new Map([
  ['began', 'A session has begun. Each tab asks the agent for itself.'],
  ['ended', 'The session has ended.'],
  ['expiring', 'The session is about to end. Each tab looks for itself.'],
  ['renewed', 'One tab has renewed the session for all.'],
]);

const HEARTBEAT = 5_000; // ms
const FORGOTTEN = 90_000; // ms
const MOST = 6;
