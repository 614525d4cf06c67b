/**
 * One browser with any number of tabs, without a browser: the globals that `token-handler.js` uses, a clock that moves
 * only when told to, and a handler that answers as ours does. Where timing matters a test decides it to the millisecond.
 */

import { createTokenHandler } from '../../spa-demo/js/token-handler.js';

const ORIGIN = 'https://shop.example.com';

/**
 * @typedef {ReturnType<typeof createTokenHandler>} Tab
 * @typedef {{method: string, path: string, headers: Headers, body: string}} Seen
 */

export class World {
  /**
   * @param {import('node:test').TestContext} t
   * @param {{locks?: boolean | 'refuse', channels?: boolean | 'refuse', cookies?: boolean, href?: string}} [browser]
   */
  constructor(t, { locks = true, channels = true, cookies = true, href = `${ORIGIN}/orders/42?tab=x#y` } = {}) {
    this.now = 5_000;
    this.timers = new Map();
    this.nextTimer = 1;
    this.server = new FakeHandler(this);
    this.server.keepsCookies = cookies;
    /** @type {string[]} where the page went */
    this.left = [];
    /** @type {string[]} what a developer reads in the console */
    this.console = [];
    this.window = new EventTarget();
    this.document = Object.assign(new EventTarget(), { visibilityState: 'visible', baseURI: href });
    this.cookieReads = 0;
    Object.defineProperty(this.document, 'cookie', {
      get: () => {
        this.cookieReads += 1;
        return '';
      },
      set: () => {
        this.cookieReads += 1;
      },
    });
    /** @type {Tab[]} */
    this.tabs = [];
    const location = Object.assign(new URL(href), { assign: (/** @type {string} */ url) => this.left.push(url) });
    this.location = location;
    const say = (/** @type {unknown[]} */ ...words) => void this.console.push(words.map(String).join(' '));
    const broken = () => {
      throw new DOMException('The operation is insecure.', 'SecurityError');
    };
    const globals = {
      location,
      document: this.document,
      history: { state: null, replaceState: (/** @type {unknown} */ _, /** @type {string} */ __, /** @type {string} */ to) => (location.href = new URL(to, ORIGIN).href) },
      navigator: { cookieEnabled: cookies, locks: locks === true ? new Locks() : locks === 'refuse' ? { request: async () => broken() } : undefined },
      BroadcastChannel: channels === true ? channelsOf(this) : channels === 'refuse' ? class { constructor() { broken(); } } : undefined,
      addEventListener: this.window.addEventListener.bind(this.window),
      removeEventListener: this.window.removeEventListener.bind(this.window),
      reportError: say,
      performance: { now: () => this.now, mark() {}, measure() {}, clearMarks() {}, clearMeasures() {} }, // React measures itself
      setTimeout: (/** @type {() => void} */ run, /** @type {number} */ delay = 0) => this.timers.set(this.nextTimer, { at: this.now + delay, run }) && this.nextTimer++,
      clearTimeout: (/** @type {number} */ id) => this.timers.delete(id),
      fetch: (/** @type {any} */ input, /** @type {any} */ init) => this.server.take(input instanceof Request ? input : new Request(input, { ...init, signal: undefined })),
      console: { ...console, error: say, warn: say },
    };
    const before = Object.keys(globals).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]);
    for (const [name, value] of Object.entries(globals)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    const { timeout } = AbortSignal;
    AbortSignal.timeout = (delay) => {
      const controller = new AbortController();
      globals.setTimeout(() => controller.abort(new DOMException('timed out', 'TimeoutError')), delay);
      return controller.signal;
    };
    t.after(() => {
      AbortSignal.timeout = timeout;
      this.tabs.forEach((tab) => tab.dispose());
      for (const [name, was] of before) was ? Object.defineProperty(globalThis, name, was) : delete globalThis[name];
    });
  }

  /** Opens a tab and waits for its first look. @param {Parameters<typeof createTokenHandler>[0]} [options] */
  async tab(options) {
    const tab = createTokenHandler(options);
    this.tabs.push(tab);
    await this.settle();
    return tab;
  }

  /** Lets everything that can go on go on, without time passing. */
  async settle() {
    for (let n = 0; n < 30; n += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  /** @param {number} seconds */
  async advance(seconds) {
    const until = this.now + seconds * 1000;
    for (;;) {
      await this.settle();
      const [id, next] = [...this.timers].sort((a, b) => a[1].at - b[1].at)[0] ?? [];
      if (!next || next.at > until) break;
      this.timers.delete(id);
      this.now = Math.max(this.now, next.at);
      next.run();
    }
    this.now = until;
    await this.settle();
  }
}

/** The handler, as far as a browser can tell. Times in seconds. */
export class FakeHandler {
  /** @param {World} world */
  constructor(world) {
    this.world = world;
    /** @type {Seen[]} */
    this.seen = [];
    this.keepsCookies = true;
    this.pendingLogin = false;
    /** @type {{sub: string, iat: number} | null} */
    this.session = null;
    this.signIns = 0;
    this.reason = 'none';
    this.accessEnds = Infinity;
    this.idle = 1800;
    this.idleEnds = Infinity;
    this.absoluteEnds = Infinity;
    this.offline = false;
    this.refreshes = 0;
    /** Answers by `METHOD /path` that a test puts in the way, each taken once. @type {Map<string, Array<() => Response | Promise<Response>>>} */
    this.inTheWay = new Map();
    /** What holds back refresh answers. @type {Promise<void> | null} */
    this.gate = null;
  }

  signIn(sub = 'alice', { access = 300, idle = 1800, absolute = 43_200 } = {}) {
    const now = this.seconds();
    this.session = { sub, iat: Math.floor(now) };
    this.signIns += 1;
    this.idle = idle;
    [this.accessEnds, this.idleEnds, this.absoluteEnds] = [now + access, now + idle, now + absolute];
    return this;
  }

  /** @param {string} reason */
  end(reason) {
    [this.session, this.reason] = [null, reason];
  }

  seconds() {
    return this.world.now / 1000;
  }

  /** @param {string} what `POST /oauth-agent/refresh` @param {() => Response | Promise<Response>} answer */
  once(what, answer) {
    this.inTheWay.set(what, [...(this.inTheWay.get(what) ?? []), answer]);
  }

  /** @param {string} what */
  count(what) {
    return this.seen.filter(({ method, path }) => `${method} ${path}` === what).length;
  }

  /** Holds every refresh back until the function that comes back is called. */
  holdRefreshes() {
    let open = () => {};
    this.gate = new Promise((resolve) => (open = resolve));
    return open;
  }

  /** @param {Request} request */
  async take(request) {
    if (this.offline) throw new TypeError('Failed to fetch');
    const { pathname, search } = new URL(request.url);
    this.seen.push({ method: request.method, path: pathname, headers: request.headers, body: await request.text() });
    const what = `${request.method} ${pathname}`;
    const answer = this.inTheWay.get(what)?.shift();
    if (answer) return answer();
    if (request.headers.get('token-handler-version') !== '1') return refusal(403, 'csrf_rejected');
    if (this.session && this.seconds() >= Math.min(this.idleEnds, this.absoluteEnds)) this.end('expired');
    if (pathname === '/oauth-agent/session') return this.#session(search);
    if (what === 'POST /oauth-agent/login/start') {
      this.pendingLogin = this.keepsCookies;
      return json({ authorization_url: 'https://login.example.com/authorize?x=1' });
    }
    if (what === 'POST /oauth-agent/logout') {
      const had = this.session;
      this.end('logged_out');
      return json(had ? { logout_url: '/oauth-agent/end-session' } : {});
    }
    if (what === 'POST /oauth-agent/refresh') return this.#refresh();
    if (!this.session) return refusal(401, this.reason === 'expired' ? 'session_expired' : this.reason === 'none' ? 'session_missing' : 'session_revoked');
    if (this.seconds() >= this.accessEnds) return refusal(401, 'access_token_expired');
    this.idleEnds = this.seconds() + this.idle;
    return json({ path: pathname, body: this.seen.at(-1)?.body });
  }

  /** @param {string} search */
  #session(search) {
    if (!this.session) return json({ is_logged_in: false, reason: this.reason, ...(search === '?login_pending' && { login_pending: this.pendingLogin }) });
    const left = (/** @type {number} */ end) => Math.max(0, Math.floor(end - this.seconds()));
    return json({
      is_logged_in: true,
      session_handle: `handle-${this.signIns}`,
      id_token_claims: this.session,
      access_token_expires_in: left(this.accessEnds),
      session_expires_in: left(this.absoluteEnds),
      session_idle_expires_in: left(this.idleEnds),
    });
  }

  async #refresh() {
    if (!this.session) return refusal(401, 'session_expired');
    this.refreshes += 1;
    await this.gate;
    if (this.session) this.session.iat = Math.floor(this.seconds()); // a new ID token comes along
    this.accessEnds = this.seconds() + 300;
    this.idleEnds = this.seconds() + this.idle;
    return json({ access_token_expires_in: 300 });
  }
}

/** @param {unknown} body */
export function json(body, status = 200, headers = {}) {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } });
}

/** As contract §6 has it. @param {number} status @param {string} code */
export function refusal(status, code, headers = {}) {
  return json({ error_code: code, detailed_error: `about ${code}`, request_id: 'req-7' }, status, { 'token-handler-error': code, ...headers });
}

/** Web Locks of one browser: exclusive ones, `ifAvailable`, `signal`. */
class Locks {
  /** @type {Map<string, Promise<unknown>>} */
  #held = new Map();

  async request(name, options, work) {
    while (this.#held.has(name)) {
      if (options.ifAvailable) return work(null);
      const given = new Promise((_, reject) => options.signal?.addEventListener('abort', () => reject(options.signal.reason)));
      await Promise.race([this.#held.get(name), given]);
    }
    let free = () => {};
    this.#held.set(name, new Promise((resolve) => (free = resolve)));
    try {
      return await work({ name });
    } finally {
      this.#held.delete(name);
      free();
    }
  }
}

/** BroadcastChannels of one browser. @param {World} world */
function channelsOf(world) {
  /** @type {Set<EventTarget & {name: string}>} */
  const open = new Set();
  world.said = /** @type {unknown[]} */ ([]);
  return class extends EventTarget {
    /** @param {string} name */
    constructor(name) {
      super();
      this.name = name;
      open.add(this);
    }

    /** @param {unknown} data */
    postMessage(data) {
      world.said.push(data);
      for (const other of open) {
        if (other !== this && other.name === this.name) setImmediate(() => open.has(other) && other.dispatchEvent(Object.assign(new Event('message'), { data: structuredClone(data) })));
      }
    }

    close() {
      open.delete(this);
    }
  };
}
