/** Session events: nothing of one user left for the next, and a word to whoever is looking. */

import type { SessionEvents, TokenHandler } from '../../spa-demo/js/token-handler.js';

export interface Reactions {
  /** Empties caches, stores, drafts: all that was loaded for whoever was signed in. */
  forget: () => void;
  /** Shows a sentence, `role="status"` or a toast. */
  say: (sentence: string) => void;
}

/** Once for the whole app; gives back the way to stop. Works in every open tab at once. */
export function followSession(handler: TokenHandler, { forget, say }: Reactions): () => void {
  const stops = [
    handler.on('loggedout', (told) => {
      forget();
      say(goodbye(told));
    }),
    handler.on('superseded', ({ by }) => {
      if (by === 'renewal') return; // the call has been answered all the same
      forget();
      say('Somebody signed in anew in another tab.');
    }),
    handler.on('expiring', ({ seconds }) => say(`You will be signed out in ${Math.ceil(seconds / 60)} min unless you go on.`)),
  ];
  return () => stops.forEach((stop) => stop());
}

function goodbye({ reason, from }: SessionEvents['loggedout']): string {
  if (from === 'this_tab') return 'You have signed out.';
  if (from === 'another_tab') return 'You have signed out in another tab.';
  return reason === 'expired' ? 'Your session has expired.' : 'Your session was ended from elsewhere.';
}
