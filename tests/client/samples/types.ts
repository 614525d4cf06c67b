/** What TypeScript users may write, and what their compiler has to refuse. Nothing of this runs. */

import { TokenHandlerError, createTokenHandler, takeLoginError, type Session, type SessionEvents, type TokenHandler } from '../../../spa-demo/js/token-handler.js';

const handler: TokenHandler = createTokenHandler({ agent: '/oauth-agent', apis: ['/api'] as const, warnSeconds: 60 });

export async function uses(): Promise<string> {
  const session: Session = await handler.ready;
  const stop: () => void = handler.subscribe((next) => void next.status);
  stop();
  switch (session.status) {
    case 'loading':
      return '';
    case 'anonymous':
      return session.error?.code ?? session.reason;
    case 'authenticated': {
      const sub: unknown = session.claims['sub'];
      const left: number | null = session.accessExpiresAt;
      return `${String(sub)} ${left ?? 0} ${session.expiring}`;
    }
  }
}

export function events(): Array<() => void> {
  const loggedout = ({ reason, from }: SessionEvents['loggedout']): string => `${reason} ${from}`;
  return [
    handler.on('loggedout', loggedout),
    handler.on('loggedout', ({ from }) => void (from === 'another_tab')),
    handler.on('expiring', ({ seconds }) => void seconds.toFixed()),
    handler.on('superseded', ({ by }) => void (by === 'login' || by === 'renewal')),
  ];
}

export async function calls(): Promise<void> {
  await handler.login({ returnTo: '/a', acrValues: ['gold'], maxAge: 5 });
  const { leaving } = await handler.logout();
  const answer: Response = await handler.fetch(new URL('/api/x', location.href), { method: 'POST' });
  const claims: Record<string, unknown> = await handler.userinfo();
  void [leaving, answer, claims];
  const failed = takeLoginError();
  if (failed instanceof TokenHandlerError) void [failed.code, failed.status, failed.requestId, failed.retryable, failed.providerError];
}

export function refused(): void {
  // @ts-expect-error an option that does not exist
  createTokenHandler({ agnt: '/x' });
  // @ts-expect-error the wire's name
  void handler.login({ return_to: '/' });
  // @ts-expect-error a snapshot is replaced by the client, not by the page
  handler.session = { status: 'loading' };
  // @ts-expect-error an event that does not exist
  handler.on('logout', () => {});
  // @ts-expect-error what another event tells
  handler.on('expiring', ({ reason }) => reason);
  // @ts-expect-error a place that nothing comes from
  handler.on('loggedout', ({ from }) => from === 'elsewhere');
  const { session } = handler;
  // @ts-expect-error nobody has claims before it is known that somebody is signed in
  void session.claims;
  // @ts-expect-error a frozen snapshot
  if (session.status === 'authenticated') session.expiring = false;
}
