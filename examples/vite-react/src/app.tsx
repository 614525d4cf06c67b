import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { TokenHandler, TokenHandlerError } from './token-handler.js';
import { json } from './fetch.js';
import { SignedIn, useSession } from './react.js';

interface Orders {
  owner: string;
  orders: { id: number; item: string; status: string }[];
}

export function App({ handler, failed }: { handler: TokenHandler; failed: TokenHandlerError | null }): ReactNode {
  const session = useSession(handler);
  return (
    <main>
      <header>
        <h1>Orders</h1>
        {session.status === 'authenticated' && (
          <p>
            <span data-testid="user-name">{String(session.claims['name'] ?? session.claims['sub'])}</span>{' '}
            <button onClick={() => void handler.logout()}>Sign out</button>
          </p>
        )}
      </header>
      {failed && <p role="alert">That sign-in did not work: {failed.providerError || failed.code}.</p>}
      <SignedIn handler={handler}>
        <OrderList handler={handler} />
      </SignedIn>
    </main>
  );
}

function OrderList({ handler }: { handler: TokenHandler }): ReactNode {
  const { data, error, isPending } = useQuery({ queryKey: ['orders'], queryFn: () => json<Orders>(handler, '/api/orders') });
  if (isPending) return <p>Loading…</p>;
  if (error) return <p role="alert">{error.message}</p>;
  return (
    <ul data-testid="orders">
      {data.orders.map(({ id, item, status }) => (
        <li key={id}>
          {item}: {status}
        </li>
      ))}
    </ul>
  );
}
