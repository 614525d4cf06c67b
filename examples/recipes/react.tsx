/** React: the session as a hook. The client keeps the state; React reads it, so every component and tab agrees. */

import { useSyncExternalStore, type ReactNode } from 'react';
import type { Session, TokenHandler } from '../../spa-demo/js/token-handler.js';

const LOADING: Session = { status: 'loading' };

export function useSession(handler: TokenHandler): Session {
  return useSyncExternalStore(
    handler.subscribe,
    () => handler.session,
    () => LOADING, // on a server nobody knows: the page's request does not carry the cookies
  );
}

/** Shows its children to who is signed in, and a way in to everybody else. */
export function SignedIn({ handler, children }: { handler: TokenHandler; children: ReactNode }): ReactNode {
  const session = useSession(handler);
  if (session.status === 'loading') return <p>One moment…</p>;
  if (session.status === 'authenticated') {
    return (
      <>
        {session.expiring && (
          <p role="alert">
            You will be signed out soon. <button onClick={() => void handler.refresh()}>Stay signed in</button>
          </p>
        )}
        {children}
      </>
    );
  }
  if (session.reason === 'cookie_blocked') return <p role="alert">This browser blocks the cookies that a sign-in needs.</p>;
  return <button onClick={() => void handler.login()}>Sign in</button>;
}
