import { announce } from '../announce.js';
import { byId, element } from '../element.js';
import { problem } from '../problem.js';
import { isRecord, rawView, valueView } from '../value-view.js';

/** @typedef {import('../token-handler.js').TokenHandler} TokenHandler */
/** @typedef {import('../element.js').Child} Child */

/**
 * Calls the API and shows what the API received.
 * @param {TokenHandler} handler
 * @param {(path: string, response: Response, body: string) => void} sawResponse Told of every answer, as script can read it.
 */
export function callPanel(handler, sawResponse) {
  const result = byId('api-result', HTMLDivElement);
  const buttons = [byId('call-api', HTMLButtonElement), byId('call-orders', HTMLButtonElement)];
  let calls = 0;
  let fingerprint = '';

  /**
   * @param {HTMLButtonElement} button
   * @param {string} path
   */
  async function call(button, path) {
    const number = (calls += 1);
    const who = identity(handler);
    button.setAttribute('aria-busy', 'true');
    /** @type {Child[]} */
    let view;
    let news = 'The call did not get through.';
    const startedAt = performance.now();
    try {
      const response = await handler.fetch(path);
      const body = await response.text();
      view = answerView(path, response, body, performance.now() - startedAt, fingerprint);
      fingerprint = fingerprintIn(parsed(body)) ?? fingerprint;
      news = `${path} answered ${response.status} ${response.statusText}`;
      sawResponse(path, response, body);
      if (handler.session.status === 'authenticated') void handler.reload(); // the call slid the idle timeout and may have renewed
    } catch (error) {
      view = [problem(error)];
    }
    button.removeAttribute('aria-busy');
    // The last button pressed wins, and an answer for one user is not shown to the next.
    if (number === calls && (who === identity(handler) || identity(handler) === '')) {
      result.replaceChildren(element('div', {}, ...view));
      announce(news);
    }
  }

  const [echo, orders] = buttons;
  echo?.addEventListener('click', () => call(echo, '/api/echo'));
  orders?.addEventListener('click', () => call(orders, '/api/orders'));

  let seen = '';
  handler.subscribe(() => {
    const next = identity(handler);
    // Signed out, or somebody else: what was fetched for the one before goes. A refusal shown while signing out stays.
    if (next !== seen) fingerprint = '';
    if (seen !== '' && next !== seen && !result.querySelector('[data-refused]')) result.replaceChildren(element('p', { class: 'quiet' }, 'No call made in this session yet.'));
    seen = next;
  });
}

/**
 * @param {string} path
 * @param {Response} response
 * @param {string} text
 * @param {number} milliseconds
 * @param {string} fingerprint of the token that the call before brought
 */
function answerView(path, response, text, milliseconds, fingerprint) {
  const refusal = response.headers.get('token-handler-error');
  const requestId = response.headers.get('x-request-id');
  const body = parsed(text);
  const line = element(
    'p',
    { class: response.ok ? 'answer good' : 'answer bad', 'data-testid': 'api-status', 'data-status': response.status, 'data-refused': !response.ok },
    element('strong', {}, `${response.status} ${response.statusText}`.trim()),
    element('span', {}, ` GET ${path} · ${Math.round(milliseconds)} ms`),
  );
  if (refusal !== null) {
    return [
      line,
      element('p', {}, 'Refused by Cloakroom: ', element('code', {}, refusal), '. ', response.status === 401 && 'The API was not asked.'),
      requestId && element('p', { class: 'small' }, 'request ', element('code', {}, requestId)),
      body !== undefined && rawView(body),
    ];
  }
  if (body === undefined) return [line, element('pre', { tabindex: 0 }, text)];
  return [line, ...journey(body, fingerprint), valueView(body), rawView(body)];
}

/**
 * The two facts that this is all about, where the API reports them.
 * @param {unknown} body
 * @param {string} before the fingerprint of the call before
 */
function journey(body, before) {
  if (!isRecord(body)) return [];
  const facts = [];
  const print = fingerprintIn(body);
  const { authorization, cookies } = body;
  if (isRecord(authorization) && typeof authorization.scheme === 'string') {
    const named = print ? [' with fingerprint ', element('code', {}, print)] : [];
    facts.push(element('li', {}, 'This page sent no token; the API received one: ', element('code', {}, authorization.scheme), ...named, '.'));
    if (print && before && print !== before) facts.push(element('li', { 'data-testid': 'renewed' }, 'It is another token than with the call before: Cloakroom renewed it in between.'));
  } else if (authorization === null) {
    facts.push(element('li', {}, 'The API received no token.'));
  }
  if (Array.isArray(cookies)) {
    facts.push(element('li', {}, cookies.length === 0 ? 'No cookie travelled on to the API.' : `${cookies.length} cookie(s) travelled on to the API.`));
  }
  return facts.length > 0 ? [element('ul', { class: 'facts' }, ...facts)] : [];
}

/** @param {unknown} body @returns {string | undefined} */
function fingerprintIn(body) {
  if (!isRecord(body) || !isRecord(body.authorization)) return undefined;
  const { fingerprint } = body.authorization;
  return typeof fingerprint === 'string' ? fingerprint : undefined;
}

/** @param {string} text @returns {unknown} undefined where it is no JSON */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param {TokenHandler} handler */
function identity({ session }) {
  return session.status === 'authenticated' ? String(session.claims.sub) : '';
}
