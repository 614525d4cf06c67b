/**
 * One world per test: a real provider, a recording API and `cloakroom serve` with a configuration of its own in a
 * folder of its own. Everything is on loopback; the app is `localhost`, the provider `127.0.0.1`: two sites.
 */

import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { binary } from '../support/binary.js';
import { Child, freePort, run } from '../support/child.js';
import { UserAgent } from '../support/user-agent.js';
import { startApi } from './api.js';
import { BASIC, startProvider } from './provider.js';

/** What every call of the page's script carries (contract §5a). */
export const VERSION = { 'token-handler-version': '1' };
/** A port that was free may be taken between the asking and the listening. */
const ATTEMPTS = 3;

/**
 * @param {{client?: typeof BASIC, auth?: string, app?: string, registration?: string, session?: string, server?: string, callback?: string,
 *   store?: string, replicas?: number,
 *   gateway?: (where: {folder: string, port: number, upstreams: number[]}) => Promise<Child>}} [choice]
 *   `app`, `registration` (`[app.provider]`), `session`, `server`: further lines of these tables; `store`: the lines of that one; `replicas`: how many of us stand behind
 *   the gateway, which several need; `gateway`: what stands between the browser and us; `callback`: path of
 *   a page of the SPA that the provider comes back to, instead of the agent's own
 */
export async function startWorld({ client = BASIC, auth = 'client_secret_basic', app = '', registration = '', session = '', server: lines = '', callback = '', store = 'kind = "memory"', replicas = 1, gateway } = {}) {
  /** What ends each thing that was started, newest last. @type {(() => Promise<unknown>)[]} */
  const ends = [];
  async function stop() {
    for (const end of ends.splice(0).reverse()) await end();
  }
  try {
    return await start();
  } catch (error) {
    await stop(); // or what was started keeps this process alive
    throw error;
  }

  async function start() {
    const folder = await mkdtemp(path.join(tmpdir(), 'cloakroom-interop-'));
    ends.push(() => rm(folder, { recursive: true, force: true }));
    const api = await startApi();
    ends.push(api.stop);
    const key = path.join(folder, 'cookie.key');
    const made = await run(binary(), ['keys', 'generate', '--out', key]);
    assert.equal(made.code, 0, `keys generate: ${made.output}`);
    assert.equal((await stat(key)).mode & 0o777, 0o600, 'the key file is for its owner only');
    const secret = path.join(folder, 'client-secret');
    await writeFile(secret, `${client.secret}\n`, { mode: 0o600 });

    for (let attempt = 1; ; attempt += 1) {
      const ports = await Promise.all(Array.from({ length: replicas }, freePort));
      const port = ports[0];
      const front = gateway ? await freePort() : port;
      const origin = `http://localhost:${front}`;
      const agent = `${origin}/oauth-agent`;
      const provider = await startProvider({ redirectUri: callback ? `${origin}${callback}` : `${agent}/callback`, postLogoutRedirectUri: `${agent}/logged-out`, backchannelLogoutUri: `${agent}/backchannel-logout` });
      ends.push(provider.stop);
      /** @type {Child[]} */
      const servers = [];
      ends.push(() => Promise.all(servers.map((server) => server.stop())));
      /** Starts a replica, or starts it again. @param {number} index */
      const start = async (index) => {
        const config = path.join(folder, index === 0 ? 'config.toml' : `config-${index}.toml`);
        await writeFile(config, configuration({ port: ports[index], lines, key, store, origin, callback, provider, client, secret, auth, app, registration, session, api }));
        servers[index] = new Child(binary(), ['serve', '--config', config]);
        await servers[index].listening(ports[index]);
      };
      try {
        for (const index of ports.keys()) await start(index);
      } catch (error) {
        if (servers.some((server) => server.how?.code === 69) && attempt < ATTEMPTS) continue;
        throw error;
      }
      if (gateway) {
        const before = await gateway({ folder, port: front, upstreams: ports });
        ends.push(() => before.stop());
      }
      return { provider, api, client, origin, agent, page: `${origin}/`, folder, ports, servers, server: servers[0], start, stop };
    }
  }
}

function configuration({ port, lines, key, store, origin, callback, provider, client, secret, auth, app, registration, session, api }) {
  return `
[server]
listen = "127.0.0.1:${port}"
${lines}

[keys]
cookie = ["file:${key}"]

[store]
${store}

[[app]]
id = "shop"
origin = "${origin}"
error_path = "/sorry"
post_logout_path = "/bye"
${app}

[app.provider]
issuer = "${provider.issuer}"
client_id = ${JSON.stringify(client.id)}
client_secret = "file:${secret}"
client_auth = "${auth}"
scopes = ["openid", "profile"]
${registration}
${callback ? `redirect_uri = "${origin}${callback}"` : ''}

[app.session]
${session}

[[app.route]]
path = "/api"
upstream = "${api.address}"
`;
}

/** @typedef {Awaited<ReturnType<typeof startWorld>>} World */

/**
 * Signs in as a person would: the page asks for the address, the browser goes there, the provider's pages are filled in.
 * Comes back with the browser and the answer of the callback.
 * @param {World} world
 * @param {{user?: string, browser?: UserAgent, start?: Record<string, string>, answerConsent?: boolean}} [options]
 */
export async function signIn(world, { user = 'alice', browser = new UserAgent(), start = {} } = {}) {
  const begun = await browser.fetch(world.page, `${world.agent}/login/start`, { method: 'POST', headers: VERSION, json: start });
  assert.equal(begun.status, 200, begun.text);
  return { browser, begun, callback: await consent(world, browser, begun.json().authorization_url, user) };
}

/**
 * Walks the provider's pages from the authorization URL to the answer of our callback.
 * @param {World} world @param {UserAgent} browser @param {string} address @param {string} user
 */
export async function consent(world, browser, address, user) {
  const home = (/** @type {URL} */ url) => url.origin === world.origin && url.pathname !== '/oauth-agent/callback';
  let page = await browser.navigate(address, { from: world.page, stop: home });
  for (let pages = 0; page.location === null && pages < 4; pages += 1) {
    assert.equal(page.status, 200, `${page.url}: ${page.text}`);
    page = await browser.submit(page, { login: user, password: 'any will do' }, { stop: home });
  }
  assert.ok(page.location, `the provider led nowhere: ${page.url}`);
  return page;
}

/** A call of the page's script to the API. @param {World} world @param {UserAgent} browser */
export function call(world, browser, options = {}) {
  const { path: where = '/api/orders', headers = {}, ...rest } = options;
  return browser.fetch(world.page, where, { ...rest, headers: { ...VERSION, ...headers } });
}

/** `GET session`, parsed. @param {World} world @param {UserAgent} browser */
export async function session(world, browser) {
  const answer = await browser.fetch(world.page, `${world.agent}/session`, { headers: VERSION });
  assert.equal(answer.status, 200, answer.text);
  return answer.json();
}

/** `POST` to an endpoint of the agent. @param {World} world @param {UserAgent} browser @param {string} endpoint */
export function post(world, browser, endpoint) {
  return browser.fetch(world.page, `${world.agent}/${endpoint}`, { method: 'POST', headers: VERSION });
}
