/**
 * What stands before Cloakroom in the world: TLS and HTTP/2. Over HTTP/1.1 a browser sends six requests at a time and keeps
 * the others back; over HTTP/2 a hundred calls are under way at once, which is the race to be shown. The front also has a
 * hand on every request: it can count them, hold one back, and lose an answer.
 */

import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import { pipeline } from 'node:stream';

/** What HTTP/2 does not know of HTTP/1.1 (RFC 9113 §8.2.2). */
const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'];

/**
 * @typedef {{method: string, path: string, cookie: string}} Passing A request on its way, `path` with its query.
 * @typedef {(passing: Passing) => boolean} Which
 */

/** @param {{key: string, cert: string}} certificate @param {string} host @param {number} upstream */
export async function startFront(certificate, host, upstream) {
  /** Every request that has left for Cloakroom. @type {Passing[]} */
  const passed = [];
  /** @type {Set<{which: Which, waiting: number, opened: Promise<void>}>} */
  const holds = new Set();
  /** @type {Set<{which: Which, lost: () => void}>} */
  const losses = new Set();
  /** @type {Set<() => void>} */
  const watchers = new Set();
  /** Resolves when it is so; asked at every request. @param {() => boolean} isSo */
  const whenever = (isSo) =>
    /** @type {Promise<void>} */ (
      new Promise((resolve) => {
        const look = () => {
          if (!isSo()) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      })
    );
  const server = http2.createSecureServer({ ...certificate, allowHTTP1: true }, async (request, response) => {
    const { method, url: path } = request;
    const passing = { method, path, cookie: request.headers.cookie ?? '' };
    /** @type {http.ClientRequest | undefined} */
    let onward;
    let gone = false;
    response.once('close', () => {
      gone = true; // for Cloakroom, too
      onward?.destroy();
    });
    for (const held of holds) {
      if (!held.which(passing)) continue;
      held.waiting += 1;
      watchers.forEach((look) => look());
      await held.opened;
    }
    if (gone) return;
    const headers = Object.entries(request.headers).filter(([name]) => !name.startsWith(':'));
    onward = http.request({ host: '127.0.0.1', port: upstream, method, path, headers: { ...Object.fromEntries(headers), host: request.authority ?? request.headers.host } });
    onward.once('finish', () => {
      passed.push(passing);
      watchers.forEach((look) => look());
    });
    onward.once('error', () => response.stream?.destroy());
    onward.once('response', (answer) => {
      for (const loss of losses) {
        if (!loss.which(passing)) continue;
        losses.delete(loss); // the server has answered, the browser never learns
        answer.resume().once('end', loss.lost);
        response.stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
        return;
      }
      const kept = Object.entries(answer.headers).filter(([name]) => !HOP_BY_HOP.includes(name));
      response.writeHead(answer.statusCode ?? 502, Object.fromEntries(kept));
      pipeline(answer, response, () => {}); // cut here where it was cut there
    });
    request.pipe(onward);
  });
  server.on('sessionError', () => {}); // a browser that is closed in the middle
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sessions = new Set();
  server.on('session', (session) => sessions.add(session.once('close', () => sessions.delete(session))));

  return {
    origin: `https://${host}:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`,
    passed,
    /** Resolves once so many more requests of this kind have left for Cloakroom. @param {number} count @param {Which} which */
    more(count, which) {
      const from = passed.length;
      return whenever(() => passed.slice(from).filter(which).length >= count);
    },
    /** Holds requests of this kind back until it is opened; `holds` resolves once it has so many. @param {Which} which */
    hold(which) {
      let open = () => {};
      const held = { which, waiting: 0, opened: /** @type {Promise<void>} */ (new Promise((resolve) => (open = resolve))) };
      holds.add(held);
      return {
        holds: (/** @type {number} */ count) => whenever(() => held.waiting >= count),
        open() {
          holds.delete(held);
          open();
        },
      };
    },
    /** Loses the next answer to a request of this kind; resolves when it has. @param {Which} which */
    lose: (which) => /** @type {Promise<void>} */ (new Promise((lost) => losses.add({ which, lost }))),
    /** The network goes away under everything that is under way; what comes afterwards finds it again. */
    cut: () => sessions.forEach((session) => session.destroy()),
    async stop() {
      server.close();
      sessions.forEach((session) => session.destroy());
    },
  };
}

/** @typedef {Awaited<ReturnType<typeof startFront>>} Front */
