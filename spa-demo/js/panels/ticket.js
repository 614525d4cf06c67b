import { announce } from '../announce.js';
import { byId, element, setText } from '../element.js';
import { problem } from '../problem.js';

/** @typedef {import('../token-handler.js').TokenHandler} TokenHandler */
/** @typedef {import('../token-handler.js').Session} Session */

/** The ticket: whether somebody is signed in, and the two doors. @param {TokenHandler} handler */
export function ticketPanel(handler) {
  const status = byId('status', HTMLHeadingElement);
  const detail = byId('status-detail', HTMLParagraphElement);
  const trouble = byId('session-problem', HTMLDivElement);
  const signIn = byId('sign-in', HTMLButtonElement);
  const signOut = byId('sign-out', HTMLButtonElement);
  const stay = byId('stay', HTMLButtonElement);

  /** @type {HTMLButtonElement | null} */
  let pressed = null;
  /** @type {unknown} */
  let failure = null;

  /** @param {Session} session */
  function render(session) {
    const signedIn = session.status === 'authenticated';
    const doors = [signIn, signOut, stay];
    const hadFocus = doors.some((door) => document.activeElement === door);
    document.documentElement.dataset.session = session.status;
    signIn.hidden = session.status !== 'anonymous' || pressed === signOut; // no door to walk back in while the page still leaves
    signOut.hidden = !signedIn;
    stay.hidden = !signedIn || !session.expiring;
    setText(status, HEADLINES[session.status]);
    if (signedIn) {
      const name = element('strong', { 'data-testid': 'user-name' }, nameOf(session.claims));
      const word = session.expiring ? ENDING : KEPT;
      if (detail.textContent !== `You are ${name.textContent}. ${word}`) detail.replaceChildren('You are ', name, `. ${word}`);
    } else {
      setText(detail, session.status !== 'anonymous' ? ASKING : pressed === signOut ? LEAVING : REASONS[session.reason]);
    }
    const wrong = failure ?? (session.status === 'anonymous' ? session.error : null);
    trouble.replaceChildren(...(wrong ? [problem(wrong)] : []));
    if (hadFocus && doors.some((door) => door.hidden)) focusIfLost(status);
  }

  /** The announcement follows what people see, once for each change of state. @param {Session} session */
  function say(session) {
    announce(session.status === 'loading' ? '' : `${status.textContent}. ${detail.textContent}`);
  }

  /**
   * @param {HTMLButtonElement} button
   * @param {() => Promise<boolean>} leave Gives whether the page is being left.
   */
  async function press(button, leave) {
    if (pressed) return; // until the page has been left: two sign-ins at once help nobody
    pressed = button;
    failure = null;
    button.setAttribute('aria-busy', 'true'); // not `disabled`, which would throw the keyboard's focus away
    render(handler.session);
    try {
      if (await leave()) await stillHere();
    } catch (error) {
      failure = error;
      announce('That did not work.');
    }
    pressed = null;
    button.removeAttribute('aria-busy');
    render(handler.session);
  }

  signIn.addEventListener('click', () => press(signIn, () => handler.login().then(() => true)));
  stay.addEventListener('click', () => press(stay, () => handler.refresh().then(() => false)));
  signOut.addEventListener('click', () => press(signOut, () => handler.logout().then(({ leaving }) => leaving)));

  let before = '';
  const update = () => {
    const { session } = handler;
    const state = session.status === 'anonymous' ? session.reason : session.status === 'authenticated' && session.expiring ? 'expiring' : session.status;
    if (state !== before) failure = null; // told of a state that is over
    render(session);
    if (state !== before) say(session);
    before = state;
  };
  handler.subscribe(update);
  update();
}

/** Settles when the page turns out to stay: back from the back/forward cache, or the navigation was cancelled. */
function stillHere() {
  return new Promise((resolve) => {
    addEventListener('pageshow', resolve, { once: true });
    setTimeout(resolve, 10_000);
  });
}

/** A pressed button that disappears takes the focus with it; the headline says what came of it. @param {HTMLElement} heading */
function focusIfLost(heading) {
  const focused = document.activeElement;
  if (!focused || focused === document.body || (focused instanceof HTMLElement && focused.hidden)) heading.focus({ preventScroll: true });
}

/** @param {Readonly<Record<string, unknown>>} claims */
function nameOf(claims) {
  const name = claims.name ?? claims.preferred_username ?? claims.email ?? claims.sub;
  return typeof name === 'string' && name !== '' ? name : 'someone without a name';
}

const ASKING = 'Asking the agent how this browser is known.';
const LEAVING = 'Signed out here.';
const ENDING = 'Your session is about to end, unless you go on.';
const KEPT = 'The tokens are sealed in cookies that no script can read.';

const HEADLINES = {
  loading: 'Looking for your ticket…',
  anonymous: 'Not signed in',
  authenticated: 'Signed in',
};

const REASONS = {
  none: 'Nothing has been handed in yet. Sign in, and the tokens go to the desk, never to this page.',
  expired: 'Your session has expired. Sign in to begin a new one.',
  logged_out: 'You have signed out. The tokens are gone from this browser.',
  revoked: 'Your session was ended from elsewhere. Sign in to begin a new one.',
  cookie_blocked: 'This browser does not keep the cookies that a sign-in needs, so it was not even begun.',
  unknown: 'The agent could not be asked, so this page does not know.',
};
