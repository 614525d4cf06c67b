/**
 * Browser client of Cloakroom: sign in, sign out, and call APIs, while the tokens stay where script cannot read them.
 * One file, no imports, nothing to build; works under a strict Content-Security-Policy with Trusted Types.
 *
 *     import { createTokenHandler } from './token-handler.js';
 *
 *     const handler = createTokenHandler({ agent: '/oauth-agent', apis: ['/api'] });
 *     handler.subscribe((session) => render(session));
 *     handler.on('loggedout', ({ reason }) => forgetWhatWasShown(reason));
 *     const session = await handler.ready;
 *     if (session.status === 'anonymous') await handler.login({ returnTo: '/orders/42' });
 *     const orders = await handler.fetch('/api/orders');
 *
 * What it promises:
 *
 * 1. It never sees a token, and writes nothing to web storage: what it knows lives in this object.
 * 2. Times come from the server as seconds remaining and are kept on the monotonic clock (`performance.now()`),
 *    so a wrong wall clock in the browser changes nothing.
 * 3. One renewal per browser: a promise within the tab, a Web Lock across tabs. Where Web Locks are missing (plain http
 *    off loopback, blocked storage) it looks before it renews, and the server's own single flight still holds. A request
 *    is sent again at most once, and a stream never.
 * 4. Tabs move in step over a BroadcastChannel: signed out in one is signed out in all. Without one they find out
 *    at their next call or look. Each tab is told of each event once, however it finds out.
 * 5. `fetch` speaks only to the API prefixes it was given. Anything else is refused before it leaves the browser,
 *    so that neither cookies nor the CSRF header go astray by a typing error.
 * 6. A browser that does not keep the cookies is found out before the page is left: `login` rejects with
 *    `cookie_blocked` instead of going round in circles.
 */

/**
 * @typedef {object} TokenHandlerOptions
 * @property {string} [agent] The app's `agent_path`, or its absolute URL on another origin. Default `/oauth-agent`.
 * @property {readonly string[]} [apis] Path prefixes (whole segments) or absolute URLs that `fetch` may call. Default `['/api']`.
 * @property {(url: string) => void} [navigate] How to leave the page. Default `location.assign`.
 * @property {number} [timeoutSeconds] How long to wait for the agent, and for another tab's renewal. Default 30.
 * @property {number} [warnSeconds] How long before its end a session is `expiring`. Default 120.
 */

/**
 * `cookie_blocked`: the browser refuses the cookies, so a sign-in cannot work. `unknown`: the agent could not be asked;
 * `error` says why, and the client keeps asking.
 * @typedef {'none' | 'expired' | 'logged_out' | 'revoked' | 'cookie_blocked' | 'unknown'} AnonymousReason
 */

/**
 * Until the agent has spoken, and again when a page comes out of the back/forward cache.
 * @typedef {Readonly<{ status: 'loading' }>} LoadingSession
 */

/**
 * Nobody is signed in; `error` where that is not known but feared.
 * @typedef {Readonly<{ status: 'anonymous', reason: AnonymousReason, error?: TokenHandlerError }>} AnonymousSession
 */

/**
 * Claims of the ID token. `handle` names the session: another one after each sign-in. Times are points on this tab's `performance.now()` clock, in milliseconds; null: not told.
 * `idleExpiresAt` is as of the last look: calls slide it on the server. `expiring`: the session ends within
 * `warnSeconds` unless somebody does something; `refresh()` is such a thing, unless its absolute lifetime is over.
 * @typedef {Readonly<{
 *   status: 'authenticated',
 *   handle: string,
 *   claims: Readonly<Record<string, unknown>>,
 *   accessExpiresAt: number | null,
 *   idleExpiresAt: number | null,
 *   sessionExpiresAt: number | null,
 *   expiring: boolean,
 * }>} AuthenticatedSession
 */

/**
 * The session as this tab knows it.
 * @typedef {LoadingSession | AnonymousSession | AuthenticatedSession} Session
 */

/**
 * What `on` listens to; each once in every tab that knew the session, after `session` has been replaced. A page that
 * starts signed out is told nothing.
 *
 * `loggedout`: the session is over. `from`: `this_tab` or `another_tab`, where `logout()` was called; `server`, where the
 * agent said so at a call or a look, in whichever tab. `expiring`: it ends in `seconds` unless somebody does something.
 * `superseded`: this tab was behind. By a `login`: another sign-in, perhaps of somebody else, took the session's place; by a
 * `renewal`: a request met 409 `refresh_superseded` and was answered when it was sent again.
 * @typedef {object} SessionEvents
 * @property {Readonly<{ reason: AnonymousReason, from: 'this_tab' | 'another_tab' | 'server' }>} loggedout
 * @property {Readonly<{ seconds: number }>} expiring
 * @property {Readonly<{ by: 'login' | 'renewal' }>} superseded
 */

/**
 * All of them only tighten what is configured.
 * @typedef {object} LoginOptions
 * @property {string} [returnTo] Where to come back to. Default: the current path, query and fragment.
 * @property {string} [prompt] `none`, `login`, `consent` or `select_account`.
 * @property {string} [loginHint] Who wants to sign in, as the provider knows them.
 * @property {string | readonly string[]} [acrValues] How strongly, out of what is configured.
 * @property {number} [maxAge] How fresh at least, in seconds; at most what is configured.
 * @property {string | readonly string[]} [uiLocales] Languages for the provider's pages.
 * @property {string | readonly string[]} [scope] A subset of the configured scopes that keeps `openid`.
 */

/**
 * @typedef {object} TokenHandlerMembers
 * @property {Session} session The session as known now: a frozen snapshot, replaced (never changed) when it changes.
 * @property {Promise<Session>} ready Settles with the first answer of the agent; never rejects.
 * @property {(listener: (session: Session) => void) => () => void} subscribe Calls `listener` at every change; gives back the way to stop it. Fits React's `useSyncExternalStore`.
 * @property {<E extends keyof SessionEvents>(event: E, listener: (told: SessionEvents[E]) => void) => () => void} on Calls `listener` at every such event; gives back the way to stop it.
 * @property {(options?: LoginOptions) => Promise<void>} login Leaves for the provider's sign-in page. Rejects with `cookie_blocked` where the way back could not work.
 * @property {() => Promise<{ leaving: boolean }>} logout Ends the session here, in other tabs and at the server; `leaving`: the page is now on its way to the provider, to end the session there, too.
 * @property {() => Promise<Session>} refresh Renews the access token now. API calls need no such help.
 * @property {() => Promise<Session>} reload Asks the agent for the session again. Renews nothing and slides no timeout.
 * @property {(input: RequestInfo | URL, init?: RequestInit) => Promise<Response>} fetch `fetch` for the APIs: session and CSRF header go along. Like `fetch` it resolves for every answer, also a 401.
 * @property {() => Promise<Record<string, unknown>>} userinfo The provider's claims about the user.
 * @property {() => void} dispose Stops timers and listeners.
 */

/**
 * What {@link createTokenHandler} gives.
 * @typedef {Readonly<TokenHandlerMembers>} TokenHandler
 */

/**
 * Everything that goes wrong with the agent, and a `fetch` that was refused.
 * `code` is stable: the server's (`session_expired`, `provider_unavailable`, …), or one of this file:
 * `network_error`, `unexpected_answer`, `cookie_blocked`, `not_an_api`, `invalid_option`; of a sign-in that failed the
 * code is the `login_error`, see {@link takeLoginError}.
 */
export class TokenHandlerError extends Error {
  /** @param {{ code: string, message: string, status?: number, requestId?: string, providerError?: string, cause?: unknown }} about */
  constructor({ code, message, status = 0, requestId = '', providerError = '', cause }) {
    super(message, { cause });
    this.name = 'TokenHandlerError';
    this.code = code;
    /** HTTP status; 0 when no answer came. */
    this.status = status;
    /** Finds the line in the server's log. */
    this.requestId = requestId;
    /** The provider's registered error code, where it refused. */
    this.providerError = providerError;
    /** Whether the same call may succeed later without anything being changed. */
    this.retryable = code === 'network_error' || [409, 429, 503, 504].includes(status);
  }
}

/**
 * One for the whole app. Asks for the session at once.
 * @param {TokenHandlerOptions} [options]
 * @returns {TokenHandler}
 */
export function createTokenHandler(options = {}) {
  refuseUnknown('createTokenHandler', options, ['agent', 'apis', 'navigate', 'timeoutSeconds', 'warnSeconds']);
  const { agent = '/oauth-agent', apis = ['/api'], navigate = (url) => location.assign(url), timeoutSeconds = 30, warnSeconds = 120 } = options;
  const agentUrl = new URL(agent.replace(/\/*$/, '/'), location.origin);
  const apiUrls = apis.map((api) => new URL(api.replace(/\/+$/, ''), location.origin));
  const name = `token-handler:${agentUrl.href}`; // of the lock and the channel: two apps of one origin stay apart

  /** @type {Session} */
  let session = LOADING;
  /** Who listens to what. @type {Set<{ event: string, listener: (told: any) => void }>} */
  const listeners = new Set();
  /** Of the session whose end this tab has not been told of, also while it asks again. */
  let handle = '';
  /** Whether its coming end has been told. */
  let warned = false;
  /** Counts beginnings and ends of sessions: an answer that was asked for in an earlier epoch describes the past. */
  let epoch = 0;
  let lastLookAt = -Infinity;
  let lastRenewalAt = -Infinity;
  let lastSupersededAt = -Infinity;
  let failedLooks = 0;
  let disposed = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  // ---- what the page sees

  /** @param {Session} next */
  function publish(next) {
    if (disposed) return;
    session = Object.freeze(next);
    planNextLook();
    emit('session', session);
  }

  /**
   * @param {keyof SessionEvents | 'session'} event
   * @param {SessionEvents[keyof SessionEvents] | Session} told
   */
  function emit(event, told) {
    for (const each of [...listeners]) {
      if (each.event !== event || !listeners.has(each)) continue; // stopped by the one before
      try {
        each.listener(told);
      } catch (error) {
        reportError(error); // one listener's mistake is not the next one's
      }
    }
  }

  /**
   * @param {string} event
   * @param {(told: any) => void} listener
   */
  function listen(event, listener) {
    const each = { event, listener };
    listeners.add(each);
    return () => void listeners.delete(each);
  }

  /**
   * Nobody is signed in any more: said once of each session, however many ways the news takes.
   * @param {AnonymousSession} next
   * @param {SessionEvents['loggedout']['from']} from
   */
  function end(next, from) {
    const knew = handle;
    handle = '';
    publish(next);
    if (knew) emit('loggedout', { reason: next.reason, from });
  }

  /**
   * Takes over what the agent said, and tells the other tabs when that begins or ends a session.
   * @param {AnonymousSession | AuthenticatedSession} next
   */
  function settle(next) {
    const before = session;
    if (next.status === 'authenticated') {
      const knew = handle;
      const warnedBefore = warned && knew === next.handle;
      handle = next.handle;
      warned = next.expiring;
      if (handleOf(before) !== handle) {
        epoch += 1;
        tell({ type: 'began', handle });
      } else if (isExpiring(before) && !warned) {
        tell({ type: 'renewed' }); // the other tabs may take their warning down
      }
      publish(next);
      if (knew && knew !== handle) emit('superseded', { by: 'login' });
      if (warned && !warnedBefore) {
        tell({ type: 'expiring' }); // a tab in the background may be slow to look
        emit('expiring', { seconds: Math.max(Math.floor(timeLeft(next) / 1000), 0) });
      }
    } else {
      if (before.status === 'anonymous' && before.reason === next.reason && !before.error) return;
      if (before.status === 'anonymous' && before.reason === 'cookie_blocked' && next.reason === 'none') return; // still is
      if (before.status === 'authenticated') {
        epoch += 1;
        tell({ type: 'ended', reason: next.reason, from: 'server' });
      }
      end(next, 'server');
    }
  }

  // ---- asking for the session

  /** @type {Promise<Session> | undefined} */
  let looking;

  /** Asks the agent how the session stands. An outage changes nothing that is known: it ends nobody's session. */
  function reload() {
    looking ??= look().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  async function look() {
    try {
      const next = await askSession();
      failedLooks = 0;
      settle(next);
    } catch (error) {
      if (!(error instanceof TokenHandlerError)) throw error;
      failedLooks += 1;
      if (session.status === 'loading') {
        console.error(error.message); // here nobody awaits, so here it is said
        publish({ status: 'anonymous', reason: 'unknown', error });
      } else {
        planNextLook();
      }
    }
    return session;
  }

  /** @returns {Promise<AnonymousSession | AuthenticatedSession>} */
  async function askSession() {
    for (;;) {
      const asked = epoch;
      const askedAt = performance.now();
      lastLookAt = askedAt;
      const answer = await ask('GET', 'session');
      if (asked !== epoch && !disposed) continue; // a session began or ended meanwhile: this answer may be older than that
      if (answer.is_logged_in !== true) return { status: 'anonymous', reason: navigator.cookieEnabled === false ? 'cookie_blocked' : reasonOf(answer.reason) };
      // Counted from the question, not the answer: rather a little early than too late.
      const at = (/** @type {unknown} */ seconds) => (typeof seconds === 'number' ? askedAt + seconds * 1000 : null);
      const known = session;
      const ends = { idleExpiresAt: at(answer.session_idle_expires_in), sessionExpiresAt: at(answer.session_expires_in) };
      return {
        ...ends,
        status: 'authenticated',
        handle: String(answer.session_handle),
        claims: frozen(isRecord(answer.id_token_claims) ? answer.id_token_claims : {}),
        // A renewal that finished while we asked knows better than this answer.
        accessExpiresAt: known.status === 'authenticated' && lastRenewalAt > askedAt ? known.accessExpiresAt : at(answer.access_token_expires_in),
        expiring: timeLeft(ends) <= warnSeconds * 1000,
      };
    }
  }

  /** Looks again when it is time to warn, when the session should have ended, and, after a failure, with growing patience. */
  function planNextLook() {
    clearTimeout(timer);
    if (disposed) return;
    let delay = Infinity;
    if (session.status === 'authenticated') {
      delay = Math.max(timeLeft(session) - (session.expiring ? 0 : warnSeconds * 1000), 0) + 1000;
    }
    if (failedLooks > 0) delay = Math.min(2 ** failedLooks, 60) * 1000;
    if (delay === Infinity) return;
    const tooFar = delay > LONGEST_TIMER;
    timer = setTimeout(tooFar ? planNextLook : reload, tooFar ? LONGEST_TIMER : delay);
  }

  /** @type {Promise<void> | undefined} */
  let losing;

  /**
   * A 401 says that a session is over, perhaps not the one that the cookie jar holds by now (another tab may have signed
   * in). So the agent is asked before anyone is shown as signed out; only when it cannot be asked the 401 decides.
   * @param {AnonymousReason} reason
   */
  function lost(reason) {
    if (session.status !== 'authenticated') return Promise.resolve();
    losing ??= (async () => {
      await looking; // may have been asked before the end
      /** @type {AnonymousSession | AuthenticatedSession} */
      let next = { status: 'anonymous', reason };
      try {
        next = await askSession();
      } catch {
        // `next` stays as the 401 told it
      }
      settle(next.status === 'anonymous' && next.reason === 'none' ? { status: 'anonymous', reason } : next);
    })().finally(() => {
      losing = undefined;
    });
    return losing;
  }

  // ---- renewal

  /** @type {Promise<Session> | undefined} */
  let renewing;

  function refresh() {
    renewing ??= renew().finally(() => {
      renewing = undefined;
    });
    return renewing;
  }

  async function renew() {
    const calledAt = performance.now();
    const expiredAt = session.status === 'authenticated' ? (session.accessExpiresAt ?? 0) : 0;
    return oneTabAtATime(async (waited) => {
      if (waited) {
        // Another tab held the lock, so most likely it renewed for all of us.
        if (lastRenewalAt <= calledAt) await reload();
        const renewed = session.status === 'authenticated' && (session.accessExpiresAt ?? 0) > expiredAt + 1000;
        if (renewed || lastRenewalAt > calledAt) return session;
      }
      const asked = epoch;
      const askedAt = performance.now();
      try {
        const seconds = (await ask('POST', 'refresh')).access_token_expires_in;
        if (asked === epoch && session.status === 'authenticated' && typeof seconds === 'number') {
          renewedFor(seconds, askedAt);
          tell({ type: 'renewed', seconds });
        }
        return isExpiring(session) ? reload() : session; // it slid the idle timeout, too
      } catch (error) {
        const reason = error instanceof TokenHandlerError && SESSION_OVER.get(error.code);
        if (reason) await lost(reason);
        throw error;
      }
    });
  }

  /**
   * @param {number} seconds
   * @param {number} since
   */
  function renewedFor(seconds, since) {
    if (session.status !== 'authenticated') return;
    lastRenewalAt = performance.now();
    publish({ ...session, accessExpiresAt: since + seconds * 1000 });
  }

  /**
   * @template T
   * @param {(waited: boolean) => Promise<T>} work
   * @returns {Promise<T>}
   */
  async function oneTabAtATime(work) {
    let started = false;
    const start = (/** @type {boolean} */ waited) => {
      started = true;
      return work(waited);
    };
    try {
      const mine = await navigator.locks.request(name, { ifAvailable: true }, async (lock) => (lock ? { value: await start(false) } : null));
      return mine ? mine.value : await navigator.locks.request(name, { signal: deadline() }, () => start(true));
    } catch (error) {
      if (started) throw error;
      // No locks here, or a tab that hangs, which must not stop the others: the server sees to it that one renewal wins.
      return work(true);
    }
  }

  function deadline() {
    return AbortSignal.timeout?.(timeoutSeconds * 1000); // older browsers wait as long as they do
  }

  // ---- calls

  /**
   * Sends, and sends once more where the handler says that this helps. Such a refusal comes from the handler itself,
   * before anything was forwarded, so also a POST may be sent again.
   * @param {() => Promise<Response>} send
   * @param {boolean} repeatable
   */
  async function sendAndRenew(send, repeatable) {
    const sentAt = performance.now();
    let response = await send();
    const refusal = refusalOf(response);
    if (repeatable && refusal === 'refresh_superseded') {
      response = await sendBehindTheWinner(response, send, sentAt);
    } else if (refusal === 'access_token_expired') {
      try {
        if (lastRenewalAt <= sentAt) await refresh();
      } catch (error) {
        if (session.status !== 'authenticated') return response; // over: the 401 is the answer
        throw error;
      }
      if (repeatable) response = await send();
    }
    const over = SESSION_OVER.get(refusalOf(response));
    if (over && response.status === 401) await lost(over);
    return response;
  }

  /**
   * After a 409: somebody else has renewed the session, and the jar holds their cookies by the time that this waits.
   * @param {Response} refused
   * @param {() => Promise<Response>} send
   * @param {number} sentAt
   */
  async function sendBehindTheWinner(refused, send, sentAt) {
    await patience(refused);
    const response = await send();
    if (!refusalOf(response) && sentAt > lastSupersededAt) {
      lastSupersededAt = performance.now(); // what was sent before now met the same renewal
      emit('superseded', { by: 'renewal' });
    }
    return response;
  }

  /** @type {TokenHandler['fetch']} */
  async function fetchApi(input, init = {}) {
    const url = new URL(input instanceof Request ? input.url : input, document.baseURI);
    if (!apiUrls.some((api) => isBelow(api, url))) {
      throw new TokenHandlerError({
        code: 'not_an_api',
        message: `Token handler: ${url.origin}${url.pathname} is none of the APIs ${apis.join(', ')}. Use the plain fetch() for it, or name its prefix in createTokenHandler({ apis: […] }).`,
      });
    }
    const headers = new Headers(init.headers ?? (input instanceof Request ? input.headers : undefined));
    if (headers.has('authorization')) {
      warnOnce('authorization', 'Token handler: the proxy drops the Authorization header that a page sets and attaches its own. Leave it out.');
    }
    headers.set(CSRF_HEADER, CSRF_VALUE);
    const credentials = url.origin === location.origin ? 'same-origin' : 'include';
    // `cors` always: `no-cors` would silently take the CSRF header away.
    const request = new Request(input instanceof Request ? input : url, { ...init, headers, credentials, mode: 'cors' });
    const repeatable = !(init.body instanceof ReadableStream); // a stream can be read only once
    const response = await sendAndRenew(() => fetch(repeatable ? request.clone() : request), repeatable);
    if (isExpiring(session) && performance.now() - lastLookAt > LOOK_AFTER_CALL) void reload(); // the call may have slid the end away
    const hint = HINTS.get(refusalOf(response));
    if (hint) warnOnce(refusalOf(response), `Token handler: ${refusalOf(response)} for ${url.pathname}. ${hint()}`);
    return response;
  }

  /**
   * One request to the agent: JSON there, JSON back, everything else an error.
   * @param {'GET' | 'POST'} method
   * @param {string} path
   * @param {Record<string, unknown>} [body]
   */
  async function ask(method, path, body) {
    const sentAt = performance.now();
    const send = () => sendToAgent(method, path, body);
    const response = await send();
    return answerOf(refusalOf(response) === 'refresh_superseded' ? await sendBehindTheWinner(response, send, sentAt) : response);
  }

  /**
   * @param {'GET' | 'POST'} method
   * @param {string} path
   * @param {Record<string, unknown>} [body]
   */
  async function sendToAgent(method, path, body) {
    const url = new URL(path, agentUrl);
    try {
      return await fetch(url, {
        method,
        headers: { [CSRF_HEADER]: CSRF_VALUE, accept: 'application/json', ...(body && { 'content-type': 'application/json' }) },
        ...(body && { body: JSON.stringify(body) }),
        credentials: url.origin === location.origin ? 'same-origin' : 'include',
        cache: 'no-store',
        redirect: 'error', // the agent answers a fetch with JSON; a redirect is somebody else speaking
        signal: deadline() ?? null,
      });
    } catch (cause) {
      const elsewhere = url.origin === location.origin ? '' : ` It is on another origin: list ${location.origin} in the app's allowed_origins.`;
      throw new TokenHandlerError({ code: 'network_error', message: `Token handler: no answer from ${method} ${url.href}.${elsewhere}`, cause });
    }
  }

  async function userinfo() {
    return answerOf(await sendAndRenew(() => sendToAgent('GET', 'userinfo'), true));
  }

  // ---- leaving the page

  /** @type {TokenHandler['login']} */
  async function login(wishes = {}) {
    const { returnTo, prompt, loginHint, acrValues, maxAge, uiLocales, scope, ...unknown } = wishes instanceof Event ? {} : wishes; // `onclick = handler.login`
    refuseUnknown('login', unknown, []);
    const answer = await ask('POST', 'login/start', {
      return_to: returnTo ?? here(),
      prompt,
      login_hint: loginHint,
      acr_values: words(acrValues),
      max_age: maxAge,
      ui_locales: words(uiLocales),
      scope: words(scope),
    });
    const url = address(answer.authorization_url, 'authorization_url');
    if (session.status !== 'authenticated') await seeCookieKept();
    navigate(url);
  }

  /**
   * The sign-in's cookie comes back with the next request, or the browser has not kept it (cookies switched off; Safari
   * on plain http) and the way back from the provider could only fail, again and again.
   */
  async function seeCookieKept() {
    /** @type {Record<string, unknown>} */
    const answer = await ask('GET', 'session?login_pending').catch(() => ({}));
    if (answer.login_pending !== false) return;
    const error = new TokenHandlerError({
      code: 'cookie_blocked',
      message: `Token handler: this browser does not keep the cookies of ${agentUrl.origin}. Either they are blocked for this site, or it is Safari on plain http, which keeps none there, not even on localhost: use https or another browser.`,
    });
    publish({ status: 'anonymous', reason: 'cookie_blocked', error });
    throw error;
  }

  async function logout() {
    const answer = await ask('POST', 'logout');
    epoch += 1;
    tell({ type: 'ended', reason: 'logged_out', from: 'another_tab' });
    end({ status: 'anonymous', reason: 'logged_out' }, 'this_tab');
    const leaving = answer.logout_url !== undefined; // absent when the provider has no such page
    if (leaving) navigate(address(answer.logout_url, 'logout_url'));
    return { leaving };
  }

  /**
   * @param {unknown} target
   * @param {string} field
   */
  function address(target, field) {
    const url = typeof target === 'string' ? new URL(target, agentUrl) : null;
    if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
      throw new TokenHandlerError({ code: 'unexpected_answer', message: `Token handler: the agent answered without a usable ${field}. Check createTokenHandler({ agent }).` });
    }
    return url.href;
  }

  // ---- other tabs, sleep, and the way back

  const channel = openChannel(name);

  /** @param {Record<string, unknown>} news */
  function tell(news) {
    if (!disposed) channel?.postMessage(news);
  }

  /** @param {MessageEvent} event */
  function hear({ data }) {
    if (!isRecord(data)) return;
    if (data.type === 'ended') {
      epoch += 1;
      if (session.status === 'authenticated') end({ status: 'anonymous', reason: reasonOf(data.reason) }, data.from === 'another_tab' ? data.from : 'server');
    } else if (data.type === 'began' && data.handle !== handleOf(session)) {
      epoch += 1;
      reload();
    } else if (data.type === 'renewed') {
      if (typeof data.seconds === 'number') renewedFor(data.seconds, performance.now());
      if (isExpiring(session)) reload();
    } else if (data.type === 'expiring' && session.status === 'authenticated' && !warned) {
      reload();
    }
  }

  /** @param {PageTransitionEvent} event */
  function comeBack(event) {
    if (!event.persisted) return;
    publish(LOADING); // out of the back/forward cache: show nothing private before the agent has spoken
    reload();
  }

  function wakeUp() {
    // The monotonic clock may stand still while the machine sleeps, so a tab that is looked at again looks again.
    if (document.visibilityState === 'visible' && performance.now() - lastLookAt > LOOK_AGAIN_AFTER) reload();
  }

  function goOnline() {
    if (failedLooks > 0) reload();
  }

  channel?.addEventListener('message', hear);
  addEventListener('pageshow', comeBack);
  addEventListener('online', goOnline);
  document.addEventListener('visibilitychange', wakeUp);

  function dispose() {
    disposed = true;
    clearTimeout(timer);
    listeners.clear();
    channel?.close();
    removeEventListener('pageshow', comeBack);
    removeEventListener('online', goOnline);
    document.removeEventListener('visibilitychange', wakeUp);
  }

  const ready = reload();

  return Object.freeze({
    get session() {
      return session;
    },
    ready,
    subscribe: (/** @type {(session: Session) => void} */ listener) => listen('session', listener),
    on(/** @type {keyof SessionEvents} */ event, /** @type {(told: any) => void} */ listener) {
      refuseUnknown('on', { [event]: listener }, ['loggedout', 'expiring', 'superseded']);
      return listen(event, listener);
    },
    login,
    logout,
    refresh,
    reload,
    fetch: fetchApi,
    userinfo,
    dispose,
  });
}

/**
 * What a sign-in that failed left in the address bar (`login_error`, `request_id`, `provider_error`), taken out of it, so
 * that a reload or a copied link does not tell it again. Null where there is none. Call it before anything signs in by
 * itself: after a failure the user decides.
 * @returns {TokenHandlerError | null}
 */
export function takeLoginError() {
  const url = new URL(location.href);
  if (!url.searchParams.has('login_error')) return null;
  const [code, requestId, providerError] = LOGIN_ERROR.map((field) => {
    const value = url.searchParams.get(field) ?? '';
    url.searchParams.delete(field);
    return /^[\w-]{1,64}$/.test(value) ? value : ''; // anyone can write such a link: only what looks like a code is passed on
  });
  history.replaceState(history.state, '', url.pathname + url.search + url.hash);
  return new TokenHandlerError({ code: code || 'unknown', message: `Token handler: the sign-in failed with ${code || 'an unknown code'}.`, requestId, providerError });
}

/**
 * @param {Response} response
 * @returns {Promise<Record<string, unknown>>}
 */
async function answerOf(response) {
  const isJson = /^application\/json\b/.test(response.headers.get('content-type') ?? '');
  /** @type {unknown} */
  const body = isJson ? await response.json().catch(() => null) : null;
  if (response.ok && isRecord(body)) return body;
  const path = new URL(response.url || location.href).pathname;
  if (response.ok || (!isRecord(body) && !refusalOf(response))) {
    throw new TokenHandlerError({
      code: 'unexpected_answer',
      status: response.status,
      message: `Token handler: ${path} answered ${response.status} and no JSON, so this is not the agent. Set createTokenHandler({ agent }) to the app's agent_path, and let your development server pass that path on.`,
    });
  }
  const said = isRecord(body) ? body : {};
  const code = refusalOf(response) || String(said.error_code ?? `http_${response.status}`);
  const requestId = String(said.request_id ?? response.headers.get('x-request-id') ?? '');
  const parts = [`Token handler: ${code} from ${path}.`, said.detailed_error, HINTS.get(code)?.(), requestId && `(request ${requestId})`];
  throw new TokenHandlerError({ code, status: response.status, requestId, message: parts.filter(Boolean).join(' ') });
}

/** The handler's own word on a refusal: tells its 401 from a 401 of the API. @param {Response} response */
function refusalOf(response) {
  return response.headers.get('token-handler-error') ?? '';
}

/**
 * Whole segments: `/api` covers `/api/x`, not `/apiary`. `..` in any encoding is gone after URL parsing.
 * @param {URL} api
 * @param {URL} url
 */
function isBelow(api, url) {
  const path = api.pathname.replace(/\/$/, '');
  return url.origin === api.origin && (url.pathname === path || url.pathname.startsWith(`${path}/`));
}

/** Where the user is, as far as the agent takes it for `return_to`: no `//` in front, at most 1 KiB. */
function here() {
  const url = new URL(location.href);
  if (url.pathname.startsWith('//')) return '/';
  if (url.searchParams.has('login_error')) LOGIN_ERROR.forEach((field) => url.searchParams.delete(field)); // an old story
  return [url.pathname + url.search + url.hash, url.pathname].find((path) => path.length <= 1024) ?? '/';
}

/** @param {Session} session */
function handleOf(session) {
  return session.status === 'authenticated' ? session.handle : '';
}

/** Of the session, in milliseconds. @param {Pick<AuthenticatedSession, 'idleExpiresAt' | 'sessionExpiresAt'>} session */
function timeLeft({ idleExpiresAt, sessionExpiresAt }) {
  return Math.min(idleExpiresAt ?? Infinity, sessionExpiresAt ?? Infinity) - performance.now();
}

/** @param {Session} session */
function isExpiring(session) {
  return session.status === 'authenticated' && session.expiring;
}

/** The winner's answer may still be on its way to the jar. @param {Response} response */
function patience(response) {
  const seconds = Number(response.headers.get('retry-after')) || 0.2;
  return new Promise((resolve) => setTimeout(resolve, Math.min(seconds, 5) * 1000));
}

/** @param {string} name */
function openChannel(name) {
  try {
    return new BroadcastChannel(name);
  } catch {
    return null; // an old browser, or one that blocks storage
  }
}

/** @param {unknown} reason @returns {AnonymousReason} */
function reasonOf(reason) {
  return reason === 'expired' || reason === 'logged_out' || reason === 'revoked' ? reason : 'none';
}

/** @param {string | readonly string[] | undefined} value */
function words(value) {
  return typeof value === 'object' ? value.join(' ') : value;
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
function isRecord(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @template T @param {T} value @returns {T} */
function frozen(value) {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}

/**
 * @param {string} where
 * @param {object} given
 * @param {readonly string[]} known
 */
function refuseUnknown(where, given, known) {
  const stranger = Object.keys(given).find((key) => !known.includes(key));
  if (stranger) throw new TokenHandlerError({ code: 'invalid_option', message: `Token handler: ${where} does not know \`${stranger}\`. Check its spelling.` });
}

/** @type {Set<string>} */
const warned = new Set();

/**
 * @param {string} topic
 * @param {string} message
 */
function warnOnce(topic, message) {
  if (warned.has(topic)) return;
  warned.add(topic);
  console.warn(message);
}

/** @type {LoadingSession} */
const LOADING = Object.freeze({ status: 'loading' });

// A custom header makes every cross-origin request ask first (CORS preflight), which is what stops forged ones.
const CSRF_HEADER = 'token-handler-version';
const CSRF_VALUE = '1';

const LONGEST_TIMER = 3_600_000; // ms; browsers overflow beyond 2^31 - 1
const LOOK_AGAIN_AFTER = 60_000; // ms
const LOOK_AFTER_CALL = 5_000; // ms

/** In the order of {@link takeLoginError}. */
const LOGIN_ERROR = ['login_error', 'request_id', 'provider_error'];

/** @type {Map<string, AnonymousReason>} */
const SESSION_OVER = new Map([
  ['session_missing', 'none'],
  ['session_expired', 'expired'],
  ['session_revoked', 'revoked'],
]);

/** What a front-end developer can do about it. */
const HINTS = new Map([
  ['origin_rejected', () => `This page runs at ${location.origin}. Open the app at its configured origin, or list this one in allowed_origins; localhost and 127.0.0.1 are different origins.`],
  ['csrf_rejected', () => `Either something on the way removed the header ${CSRF_HEADER}, or ${location.origin} is not the app's site: serve page and handler from one origin.`],
  ['route_not_found', () => 'Check `agent` and `apis` in createTokenHandler() against agent_path and the routes of the configuration, and the host name in the address bar.'],
  ['step_up_required', () => 'The API asks for a stronger or fresher sign-in: call login({ acrValues, maxAge }) with the values in the answer.'],
  ['session_too_large', () => 'The provider issues tokens that do not fit into cookies: shorten them there, or configure a store.'],
]);
