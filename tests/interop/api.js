/** An upstream API that keeps what reached it. */

import { once } from 'node:events';
import http from 'node:http';

/** Tokens may be as large as a cookie budget. */
const LARGEST_HEAD = 128 * 1024;

/** @typedef {{method: string, path: string, headers: http.IncomingHttpHeaders, authorizations: number, body: string}} Call */

export async function startApi() {
  /** @type {Call[]} */
  const calls = [];
  const server = http.createServer({ maxHeaderSize: LARGEST_HEAD }, async (request, response) => {
    let body = '';
    for await (const piece of request.setEncoding('utf8')) body += piece;
    const authorizations = request.rawHeaders.filter((name, n) => n % 2 === 0 && /^authorization$/i.test(name)).length;
    calls.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, authorizations, body });
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ call: calls.length }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    address: `http://127.0.0.1:${port}`,
    calls,
    /** The bearer token of a call. @param {Call} [call] */
    bearer: (call = calls.at(-1)) => /^Bearer (.+)$/.exec(call?.headers.authorization ?? '')?.[1],
    async stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
