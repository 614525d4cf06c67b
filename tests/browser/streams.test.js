/** Whoever has signed out must not go on listening (contract §9): open streams of other tabs end with the session. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { ENGINES, until } from './engines.js';
import { openTabs } from './races.js';

/** Milliseconds from the end of the session to the end of its streams (contract §9). */
const AT_MOST = 2000;

for (const engine of ENGINES) {
  describe(engine.name, () => {
    /** @type {Awaited<ReturnType<typeof engine.launch>>} */
    let browser;
    before(async () => {
      browser = await engine.launch();
    });
    after(() => browser?.close());

    test('an EventSource and a fetch stream are closed within two seconds of the sign-out in another tab', async (t) => {
      const upstream = await startTicker();
      t.after(upstream.stop);
      const { tabs: [leaving, listening] } = await openTabs(t, browser, {
        count: 2,
        routes: `[[app.route]]\npath = "/api/ticks"\nupstream = "${upstream.address}"\ncsrf = "fetch_metadata"\n`,
      });
      await listening.run(async () => {
        window.heard = { events: 0, bytes: 0, sourceEnded: 0, streamEnded: 0 };
        const source = new EventSource('/api/ticks/source');
        source.onmessage = () => (window.heard.events += 1);
        source.onerror = () => (window.heard.sourceEnded ||= Date.now());
        window.source = source;
        const { body } = await window.handler.fetch('/api/ticks/stream');
        void (async () => {
          for (const reader = body.getReader(); ; ) {
            const { done, value } = await reader.read();
            if (done) break;
            window.heard.bytes += value.length;
          }
        })()
          .catch(() => {})
          .finally(() => (window.heard.streamEnded = Date.now()));
      });
      const heard = () => listening.run(() => window.heard);
      await until(heard, ({ events, bytes }) => events > 1 && bytes > 1, 'something of both streams');
      assert.equal(upstream.open(), 2);

      const ended = await leaving.run(async () => {
        window.stay = true;
        await window.handler.logout();
        return Date.now(); // one machine, one clock
      });
      const { sourceEnded, streamEnded } = await until(heard, (now) => Boolean(now.sourceEnded && now.streamEnded), 'the end of both streams');
      t.diagnostic(`EventSource ${sourceEnded - ended} ms, fetch ${streamEnded - ended} ms after the answer to the sign-out`);
      assert.ok(sourceEnded - ended <= AT_MOST, `EventSource: ${sourceEnded - ended} ms`);
      assert.ok(streamEnded - ended <= AT_MOST, `fetch: ${streamEnded - ended} ms`);
      await until(async () => upstream.open(), (open) => open === 0, 'the API is let go of, too');
      // It comes back once, is refused, and gives up (HTML Living Standard §9.2.3: an answer that is not 200 is final).
      await until(() => listening.run(() => window.source.readyState), (state) => state === 2, 'an EventSource that has given up');
      assert.equal(upstream.opened(), 2, 'the API has seen nobody come back');
    });
  });
}

/** An API that sends an event every 50 ms and never ends by itself. */
async function startTicker() {
  let opened = 0;
  /** @type {Set<http.ServerResponse>} */
  const streams = new Set();
  const server = http.createServer((_, response) => {
    opened += 1;
    streams.add(response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' }));
    response.once('close', () => streams.delete(response));
  });
  const ticking = setInterval(() => streams.forEach((stream) => stream.write('data: tick\n\n')), 50);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`,
    open: () => streams.size,
    opened: () => opened,
    async stop() {
      clearInterval(ticking);
      server.close();
      server.closeAllConnections();
    },
  };
}
