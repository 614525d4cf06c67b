/**
 * What another site can make a visitor's browser do to the app: read by `fetch`, change by form and beacon, embed, sign in.
 * Each attempt says what this page itself saw of it; whether it came as far as the API is asked of the demo afterwards.
 */

/**
 * @typedef {object} Attempt
 * @property {string} id
 * @property {string} title
 * @property {string} stops What stops it; `tests/browser/attack.test.js` asks browser and server for their reasons.
 * @property {(target: string, mark: string) => Promise<string | null>} run Gives what the page got hold of; null: nothing. Throws what the browser says.
 */

/** @type {readonly Attempt[]} */
const ATTEMPTS = [
  {
    id: 'read',
    title: 'Fetch the orders, cookies included',
    stops: 'The cookies are SameSite=Strict and stay at home; the required header is missing; no CORS for this origin.',
    run: (target, mark) => read(fetch(`${target}/api/orders?${mark}`, { credentials: 'include' })),
  },
  {
    id: 'header',
    title: 'The same with the required header',
    stops: 'A custom header makes the browser ask first (preflight), and the answer is no.',
    run: (target, mark) => read(fetch(`${target}/api/orders?${mark}`, { credentials: 'include', headers: { 'token-handler-version': '1' } })),
  },
  {
    id: 'blind',
    title: 'POST an order blindly (no-cors)',
    stops: 'No custom header can be sent this way, Sec-Fetch-Site says cross-site, and the cookies stay at home.',
    run: (target, mark) => read(fetch(`${target}/api/orders?${mark}`, { method: 'POST', mode: 'no-cors', credentials: 'include' })),
  },
  {
    id: 'beacon',
    title: 'Send a beacon',
    stops: 'The same as for the blind POST: a beacon carries no custom header.',
    run: async (target, mark) => {
      navigator.sendBeacon(`${target}/api/orders?${mark}`, 'item=coat');
      await pause(300); // nothing tells when, or whether, it has arrived
      return null;
    },
  },
  {
    id: 'form',
    title: 'Submit a hidden form',
    stops: 'A form cannot set headers; Origin names this site; the cookies stay at home.',
    run: (target, mark) => submit(`${target}/api/orders?${mark}`),
  },
  {
    id: 'logout',
    title: 'Sign the visitor out by a form',
    stops: 'The same guards stand before sign-out: you are still signed in.',
    run: (target) => submit(`${target}/oauth-agent/logout`),
  },
  {
    id: 'login',
    title: 'Sign the visitor in as somebody else, in a frame',
    stops: 'A sign-in begins only by a navigation of the whole window, from the app itself.',
    run: (target) => frame(`${target}/oauth-agent/login?prompt=none`),
  },
  {
    id: 'image',
    title: 'Load the orders as a picture',
    stops: 'No header, no cookie; and the answer forbids other sites to embed it.',
    run: (target, mark) => embed(Object.assign(new Image(), { src: `${target}/api/orders?${mark}` })),
  },
  {
    id: 'script',
    title: 'Load the orders as a script',
    stops: 'The same; and nosniff keeps JSON from becoming script.',
    run: (target, mark) => embed(Object.assign(document.createElement('script'), { src: `${target}/api/orders?${mark}` })),
  },
  {
    id: 'frame',
    title: 'Frame the app and lay a button over it',
    stops: 'frame-ancestors and X-Frame-Options: the frame stays empty, so there is nothing to click.',
    run: (target) => frame(`${target}/`),
  },
];

const button = find('attack', HTMLButtonElement);
const rows = find('attempts', HTMLTableSectionElement);
const verdict = find('verdict', HTMLParagraphElement);

/** @type {string[]} */
const targets = await (await fetch('/targets')).json();
const wanted = new URLSearchParams(location.search).get('target');
const target = targets.find((known) => known === wanted) ?? targets[0] ?? '';
find('target', HTMLElement).textContent = target;
button.addEventListener('click', attack);

async function attack() {
  if (button.hasAttribute('aria-busy')) return;
  button.setAttribute('aria-busy', 'true');
  verdict.textContent = '';
  rows.replaceChildren();
  const run = crypto.getRandomValues(new Uint32Array(2)).join('');
  /** @type {Map<string, { got: string | null, cells: Record<string, HTMLElement> }>} */
  const outcomes = new Map();
  for (const attempt of ATTEMPTS) {
    const cells = row(attempt);
    let got = null;
    let saw = 'nothing';
    try {
      got = await attempt.run(target, `attempt=${run}-${attempt.id}`);
      if (got !== null) saw = got.slice(0, 200);
    } catch (error) {
      saw = `nothing: ${error instanceof Error ? error.message : error}`;
    }
    tell(cells.saw, saw, got !== null);
    outcomes.set(attempt.id, { got, cells });
  }
  /** @type {string[]} */
  const reached = await (await fetch(`/reached?run=${run}-`)).json();
  let successes = 0;
  for (const [id, { got, cells }] of outcomes) {
    const arrived = reached.includes(`${run}-${id}`);
    tell(cells.reached, arrived ? 'yes' : 'no', arrived);
    if (arrived || got !== null) successes += 1;
  }
  verdict.textContent = `${successes} of ${ATTEMPTS.length} attempts succeeded.`;
  verdict.className = `verdict ${successes === 0 ? 'failed' : 'got'}`;
  button.removeAttribute('aria-busy');
  verdict.focus({ preventScroll: true });
}

/** Something that can be read is something got. @param {Promise<Response>} sent */
async function read(sent) {
  const response = await sent;
  return response.type === 'opaque' ? null : `${response.status} ${await response.text()}`;
}

/** @param {string} action */
async function submit(action) {
  const name = `frame-${crypto.getRandomValues(new Uint32Array(1))[0]}`;
  const catcher = Object.assign(document.createElement('iframe'), { name, title: 'Catches the answer' });
  const form = Object.assign(document.createElement('form'), { action, method: 'post', target: name });
  stage().append(catcher, form);
  const seen = look(catcher, 1);
  form.submit();
  return seen;
}

/** @param {string} src */
function frame(src) {
  const made = Object.assign(document.createElement('iframe'), { src, title: 'The app' });
  const seen = look(made, 0);
  stage().append(made);
  return seen;
}

/** What can be read out of a frame once it has loaded. @param {HTMLIFrameElement} made @param {number} skip load events of the empty frame */
async function look(made, skip) {
  let loads = 0;
  await Promise.race([
    pause(2000),
    new Promise((resolve) => made.addEventListener('load', () => (loads += 1) > skip && resolve(null))),
  ]);
  const inside = made.contentDocument; // null: another origin
  return inside && inside.URL !== 'about:blank' ? inside.documentElement.outerHTML : null;
}

/** @param {HTMLElement} made */
async function embed(made) {
  stage().append(made);
  const loaded = await Promise.race([
    pause(2000),
    new Promise((resolve) => {
      made.addEventListener('load', () => resolve(true));
      made.addEventListener('error', () => resolve(false));
    }),
  ]);
  return loaded === true ? 'it loaded' : null;
}

/** @param {Attempt} attempt */
function row(attempt) {
  const cell = (/** @type {string} */ label, /** @type {string} */ text) => {
    const made = document.createElement('td');
    made.dataset.label = label;
    made.textContent = text;
    return made;
  };
  const head = Object.assign(document.createElement('th'), { scope: 'row', textContent: attempt.title });
  const saw = cell('This page saw', '…');
  const reached = cell('Reached the API', '…');
  const line = document.createElement('tr');
  line.dataset.attempt = attempt.id;
  line.append(head, saw, reached, cell('What stops it', attempt.stops));
  rows.append(line);
  return { saw, reached };
}

/** @param {HTMLElement | undefined} cell @param {string} text @param {boolean} success */
function tell(cell, text, success) {
  if (!cell) return;
  cell.textContent = text;
  cell.className = success ? 'got' : 'failed';
}

function stage() {
  return find('stage', HTMLDivElement);
}

/** @param {number} milliseconds */
function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
function find(id, type) {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`page.html has no <${type.name}> with id="${id}"`);
}
