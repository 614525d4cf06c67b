/** A real Redis (or Valkey) on a free port of loopback, in a folder of its own. */

import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Child, freePort } from '../support/child.js';

const program = [process.env.REDIS_SERVER ?? '', '/usr/bin/redis-server', '/usr/local/bin/redis-server', '/usr/bin/valkey-server'].find(
  (file) => file !== '' && existsSync(file),
);

/** What a test says that cannot run here; undefined where it can. With CLOAKROOM_NEED_REDIS it has to. */
export const skip = program || process.env.CLOAKROOM_NEED_REDIS ? undefined : 'no redis-server here';

/** @param {{persistent?: boolean}} [choice] `persistent`: a restart finds everything again; else it loses everything */
export async function startRedis({ persistent = false } = {}) {
  if (!program) throw new Error('CLOAKROOM_NEED_REDIS is set, and there is no redis-server');
  const folder = await mkdtemp(path.join(tmpdir(), 'cloakroom-redis-'));
  const port = await freePort();
  const options = { port, bind: '127.0.0.1', save: '', appendonly: persistent ? 'yes' : 'no', appendfsync: 'always', dir: folder };
  /** @type {Child} */
  let server;
  const run = async () => {
    server = new Child(program, Object.entries(options).flatMap(([name, value]) => [`--${name}`, `${value}`]));
    await server.until(() => /eady to accept connections/.test(server.output), 'a listener');
  };
  await run();
  return {
    url: `redis://127.0.0.1:${port}`,
    /** Starts it again, on the same port. */
    run,
    /** Ends it as a crash would. */
    async kill() {
      server.child.kill('SIGKILL');
      await server.ended;
    },
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
