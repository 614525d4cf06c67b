import { element, byId } from '../element.js';
import { takeLoginError } from '../token-handler.js';

/**
 * A sign-in that failed comes back as `/?login_error=<code>&request_id=<id>[&provider_error=<code>]`. Says so, and takes
 * it out of the address bar: a reload or a copied link shall not tell the story again.
 */
export function loginErrorPanel() {
  const error = takeLoginError();
  if (!error) return;
  const box = byId('login-error', HTMLDivElement);
  const close = element('button', { type: 'button' }, 'Dismiss');
  close.addEventListener('click', () => {
    box.hidden = true;
    byId('status', HTMLHeadingElement).focus();
  });
  const { code, providerError, requestId } = error;
  const details = [code, providerError, requestId && `request ${requestId}`].filter(Boolean);
  box.replaceChildren(
    element('h2', {}, 'That sign-in did not work'),
    element('p', {}, SENTENCES.get(providerError) ?? SENTENCES.get(code) ?? 'The sign-in did not come to its end. Please try again.'),
    element('p', { class: 'small' }, ...details.flatMap((detail, index) => [index > 0 && ' · ', element('code', {}, detail)])),
    element('div', { class: 'actions' }, close),
  );
  box.hidden = false;
}

const SENTENCES = new Map([
  ['access_denied', 'The provider says that access was denied, perhaps because the sign-in was cancelled. Nothing has changed.'],
  ['login_required', 'The provider wants to see you in person: sign in without the wish to stay unasked.'],
  ['authorization_error', 'The provider did not agree to this sign-in.'],
  [
    'login_state_invalid',
    'This sign-in was not started here, was finished already, or took longer than ten minutes. Please start again. (Safari keeps no Secure cookies on plain http, not even on localhost: there, use https or another browser.)',
  ],
  ['provider_unavailable', 'The identity provider is out of reach. Please try again in a moment.'],
  ['provider_response_invalid', 'The identity provider answered with something that did not check out, so it was not believed. The server log knows more.'],
  ['session_too_large', 'The tokens of this provider are too large to be kept in cookies. The server log says how large.'],
  ['step_up_required', 'The provider signed you in, but not as strongly as was asked for. An earlier session, if any, goes on.'],
  ['overloaded', 'The service is busy. Please try again in a moment.'],
  ['rate_limited', 'Too many sign-ins in a short time. Please wait a moment.'],
]);
