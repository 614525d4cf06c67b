import { announce } from '../announce.js';
import { byId, element, setText } from '../element.js';
import { problem } from '../problem.js';

/** @typedef {import('../token-handler.js').TokenHandler} TokenHandler */

/** The stub of the ticket: what is left of the access token, and of the session around it. @param {TokenHandler} handler */
export function clockPanel(handler) {
  const countdown = byId('countdown', HTMLSpanElement);
  const word = byId('countdown-word', HTMLSpanElement);
  const bar = byId('countdown-bar', HTMLProgressElement);
  const button = byId('refresh-now', HTMLButtonElement);
  const expire = byId('expire-now', HTMLButtonElement);
  const deadlines = byId('deadlines', HTMLDListElement);
  const trouble = byId('clock-problem', HTMLDivElement);
  const idle = element('dd', { 'data-testid': 'idle-left' });
  const whole = element('dd', { 'data-testid': 'session-left' });
  deadlines.append(element('div', {}, element('dt', {}, 'Session, if idle'), idle), element('div', {}, element('dt', {}, 'Session, in all'), whole));

  let longest = 0; // seconds; the lifetime itself is not told, so the bar is full at the most that was seen
  let busy = false;

  function tick() {
    const { session } = handler;
    const signedIn = session.status === 'authenticated';
    const left = signedIn ? secondsUntil(session.accessExpiresAt) : null;
    longest = signedIn ? Math.max(longest, left ?? 0) : 0;
    setText(countdown, left === null ? '–:––' : clock(left));
    setText(word, signedIn ? wordFor(left) : 'no ticket');
    bar.value = longest > 0 ? (left ?? 0) / longest : 0;
    button.disabled = !signedIn;
    expire.disabled = !signedIn;
    deadlines.hidden = !signedIn;
    setText(idle, signedIn ? clockOrDash(secondsUntil(session.idleExpiresAt)) : '');
    setText(whole, signedIn ? clockOrDash(secondsUntil(session.sessionExpiresAt)) : '');
  }

  /**
   * @param {HTMLButtonElement} pressed
   * @param {() => Promise<unknown>} act
   * @param {string} done
   */
  async function press(pressed, act, done) {
    if (busy) return;
    busy = true;
    pressed.setAttribute('aria-busy', 'true');
    trouble.replaceChildren();
    try {
      await act();
      await handler.reload(); // a refresh slides the idle timeout, too: show it
      announce(done);
    } catch (error) {
      trouble.replaceChildren(problem(error));
      announce('That did not work.');
    }
    busy = false;
    pressed.removeAttribute('aria-busy');
  }

  button.addEventListener('click', () => press(button, () => handler.refresh(), 'The access token was renewed.'));
  // The demo's provider can be told to give a token that lives one second; no real one can, nor should.
  expire.addEventListener('click', () =>
    press(
      expire,
      async () => {
        await handler.fetch('/api/stage/expire', { method: 'POST' });
        await handler.refresh();
        await new Promise((resolve) => setTimeout(resolve, 1100));
      },
      'The access token is over. The next call to the API renews it.',
    ),
  );

  handler.subscribe(tick);
  setInterval(tick, 250);
  tick();
}

/** @param {number | null} at A point on the `performance.now()` clock. */
function secondsUntil(at) {
  return at === null ? null : Math.max(0, Math.ceil((at - performance.now()) / 1000));
}

/** @param {number | null} left */
function wordFor(left) {
  if (left === null) return 'not told';
  return left === 0 ? 'renewed with the next call' : 'left';
}

/** @param {number | null} seconds */
function clockOrDash(seconds) {
  return seconds === null ? 'not told' : clock(seconds);
}

/** @param {number} seconds */
function clock(seconds) {
  const two = (/** @type {number} */ part) => String(Math.floor(part)).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  return hours > 0 ? `${hours}:${two((seconds % 3600) / 60)}:${two(seconds % 60)}` : `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
}
