/** Plain `fetch`: JSON in, JSON out, and the three kinds of "no" told apart. */

import { TokenHandlerError, type TokenHandler } from '../../spa-demo/js/token-handler.js';

/** An answer that is not 2xx. */
export class HttpError extends Error {
  constructor(
    readonly status: number,
    /** The handler's code (`session_expired`, `insufficient_scope`, …); empty where the API itself said no. */
    readonly code: string,
    readonly requestId: string,
  ) {
    super(`${status} ${code || 'from the API'}`);
    this.name = 'HttpError';
  }
}

export async function json<T>(handler: TokenHandler, path: string, init?: RequestInit): Promise<T> {
  const response = await handler.fetch(path, init);
  const code = response.headers.get('token-handler-error') ?? '';
  if (code === 'step_up_required') await stepUp(handler, response);
  if (!response.ok) throw new HttpError(response.status, code, response.headers.get('x-request-id') ?? '');
  return (await response.json()) as T;
}

/** The API wants a stronger or fresher sign-in: the answer says which. The page leaves, and comes back to where it was. */
async function stepUp(handler: TokenHandler, response: Response): Promise<void> {
  const asked = (await response.clone().json()) as { acr_values?: string; max_age?: number };
  await handler.login({
    ...(asked.acr_values !== undefined && { acrValues: asked.acr_values }),
    ...(asked.max_age !== undefined && { maxAge: asked.max_age }),
  });
}

/** Whether trying again, unchanged, may help: a lost network, a provider or API that is down. */
export function mayRetry(error: unknown): boolean {
  if (error instanceof TokenHandlerError) return error.retryable;
  if (error instanceof HttpError) return error.status === 429 || error.status >= 500;
  return error instanceof TypeError; // what fetch throws without a network
}
