import { announce } from '../announce.js';
import { byId, element } from '../element.js';
import { problem } from '../problem.js';
import { rawView, valueView } from '../value-view.js';

/** @typedef {import('../token-handler.js').TokenHandler} TokenHandler */

/** Who is signed in: the claims that the session brings, and the provider's own word on demand. @param {TokenHandler} handler */
export function whoPanel(handler) {
  const claims = byId('claims', HTMLDivElement);
  const button = byId('userinfo', HTMLButtonElement);
  const result = byId('userinfo-result', HTMLDivElement);

  let shown = '';
  function render() {
    const { session } = handler;
    const signedIn = session.status === 'authenticated';
    button.disabled = !signedIn;
    const next = signedIn ? JSON.stringify(session.claims) : '';
    if (next === shown) return;
    shown = next;
    result.replaceChildren(); // never one user's answer beside another's claims
    claims.replaceChildren(signedIn ? valueView(session.claims) : element('p', { class: 'quiet' }, 'Sign in to see them.'));
  }

  button.addEventListener('click', async () => {
    if (button.hasAttribute('aria-busy')) return;
    button.setAttribute('aria-busy', 'true'); // not `disabled`, which would throw the keyboard's focus away
    const asked = shown;
    let view;
    let news = 'The provider’s answer is shown.';
    try {
      const answer = await handler.userinfo();
      view = [element('h3', {}, 'The provider says'), valueView(answer), rawView(answer)];
    } catch (error) {
      view = [problem(error)];
      news = 'That did not work.';
    }
    if (asked === shown) {
      result.replaceChildren(...view);
      announce(news);
    }
    button.removeAttribute('aria-busy');
  });

  handler.subscribe(render);
  render();
}
