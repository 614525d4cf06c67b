/** TanStack Query: no retry where it cannot help, and nothing of one user left for the next. */

import { QueryClient } from '@tanstack/react-query';
import type { TokenHandler } from '../../spa-demo/js/token-handler.js';
import { mayRetry } from './fetch.js';

export function createQueryClient(handler: TokenHandler): QueryClient {
  const client = new QueryClient({
    defaultOptions: {
      queries: { retry: (failures, error) => failures < 2 && mayRetry(error) },
      mutations: { retry: false }, // the client has sent again what could be sent again
    },
  });
  let user = '';
  handler.subscribe((session) => {
    if (session.status === 'loading') return;
    const now = session.status === 'authenticated' ? String(session.claims['sub']) : '';
    if (now !== user) client.clear(); // signed out, in this tab or another, or somebody else
    user = now;
  });
  return client;
}
