import { announce } from '../announce.js';
import { byId, setText } from '../element.js';

/** @typedef {import('../token-handler.js').TokenHandler} TokenHandler */

/**
 * Leads to the attacker's page on another site, and says on the way back whether anything has come of it.
 * @param {TokenHandler} handler
 */
export function elsewherePanel(handler) {
  const link = byId('attacker', HTMLAnchorElement);
  const result = byId('elsewhere-result', HTMLParagraphElement);
  let visited = false;

  void handler
    .fetch('/api/stage')
    .then(async (response) => {
      const { attacker } = await response.json();
      link.href = `${attacker}/?${new URLSearchParams({ target: location.origin })}`;
    })
    .catch(() => setText(result, 'The demo does not say where the attacker’s page is. Is the server still running?'));

  link.addEventListener('click', () => {
    visited = handler.session.status === 'authenticated';
  });

  document.addEventListener('visibilitychange', async () => {
    if (!visited || document.visibilityState !== 'visible') return;
    const session = await handler.reload();
    setText(result, session.status === 'authenticated' ? 'Back from there: you are still signed in, as who you were.' : 'Back from there: you are signed out.');
    announce(result.textContent ?? '');
  });
}
