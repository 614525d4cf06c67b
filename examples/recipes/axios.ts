/** Axios: its `fetch` adapter, with the handler's `fetch` below it. Interceptors, cancelling and the rest stay Axios's. */

import axios, { type AxiosInstance } from 'axios';
import type { TokenHandler } from '../../spa-demo/js/token-handler.js';

export function createAxios(handler: TokenHandler, baseURL = '/api'): AxiosInstance {
  return axios.create({
    baseURL,
    adapter: 'fetch',
    // Axios would build a `Request` first, from a path that only a page can resolve; without one it hands over path and init.
    env: { fetch: (input, init) => handler.fetch(input, init) },
  });
}
