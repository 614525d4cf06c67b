import { element } from './element.js';
import { TokenHandlerError } from './token-handler.js';

/**
 * What went wrong, for a person: one sentence, then what support needs to find it.
 * @param {unknown} error
 */
export function problem(error) {
  if (!(error instanceof TokenHandlerError)) {
    return element('p', { class: 'problem' }, 'No answer. Is the server still running?');
  }
  return element(
    'div',
    { class: 'problem' },
    element('p', {}, SENTENCES.get(error.code) ?? 'That did not work.', error.retryable && ' Trying again may help.'),
    element('p', { class: 'small' }, element('code', {}, error.code), error.requestId && ' · request ', error.requestId && element('code', {}, error.requestId)),
  );
}

const SENTENCES = new Map([
  ['network_error', 'No answer. Is the server still running?'],
  ['unexpected_answer', 'Something answered, but not the agent. The console says what to check.'],
  ['cookie_blocked', 'Cookies are blocked for this site, or this is Safari on plain http, which keeps no Secure cookies there. Use https or another browser.'],
  ['session_missing', 'You are not signed in.'],
  ['session_expired', 'Your session has ended. Sign in again.'],
  ['session_revoked', 'Your session was ended. Sign in again.'],
  ['origin_rejected', 'The app is open at an address that the server does not know it by. The console says what to check.'],
  ['csrf_rejected', 'The server did not accept the request as coming from this app. The console says what to check.'],
  ['provider_unavailable', 'The identity provider is out of reach.'],
  ['refresh_superseded', 'Another tab was faster.'],
]);
