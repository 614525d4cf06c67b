/**
 * A world for one topology: `cloakroom serve`, a certified provider with real forms, an API, and, where the page lives on
 * another origin than the handler, a server for it. The page is the client and nothing else.
 */

import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startApi } from '../interop/api.js';
import { BASIC, startProvider } from '../interop/provider.js';
import { binary, root } from '../support/binary.js';
import { Child, freePort, run } from '../support/child.js';
import { startFront } from './front.js';
import { MAPPED } from './topologies.js';

/** The page: leaves the client where a test finds it. `default-src 'none'` and Trusted Types, as strict as it gets. */
const PAGE = '<!doctype html><meta charset="utf-8"><title>page</title><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>';
const POLICY = (/** @type {string} */ handler) =>
  `default-src 'none'; script-src 'self'; img-src data:; connect-src 'self' ${handler}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'`;

/**
 * @param {import('./topologies.js').Topology} topology
 * @param {{session?: string, routes?: string}} [more] Lines of `[app.session]`; further routes
 */
export async function startSite({ page, handler, provider: providerHost, https: tls = false }, { session = '', routes = '' } = {}) {
  /** @type {(() => Promise<unknown>)[]} */
  const ends = [];
  const stop = async () => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    const folder = await mkdtemp(path.join(tmpdir(), 'cloakroom-site-'));
    ends.push(() => rm(folder, { recursive: true, force: true }));
    const api = await startApi();
    ends.push(api.stop);
    const port = await freePort();
    const certificate = tls ? await selfSigned(folder) : null;
    const front = certificate ? await startFront(certificate, handler, port) : null;
    if (front) ends.push(front.stop);
    const origin = front?.origin ?? `http://${handler}:${port}`;
    const split = page !== handler;
    const client = `${split ? origin : ''}`;
    const files = {
      'index.html': PAGE,
      'page.js': `import { createTokenHandler, takeLoginError } from './token-handler.js';
window.violations = [];
document.addEventListener('securitypolicyviolation', (event) => window.violations.push(event.violatedDirective + ' ' + event.blockedURI));
window.failed = takeLoginError()?.code ?? null;
window.handler = createTokenHandler({
  agent: '${client}/oauth-agent',
  apis: ['${client}/api'],
  navigate: (url) => window.stay || location.assign(url), // a test may want to stay
  ...window.options,
});
window.told = [];
for (const event of ['loggedout', 'expiring', 'superseded']) window.handler.on(event, (what) => window.told.push({ event, ...what }));`,
      'token-handler.js': await readFile(`${root}spa-demo/js/token-handler.js`, 'utf8'),
    };
    for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
    const pageOrigin = split ? await servePage(folder, page, origin, certificate, ends) : origin;

    const provider = await startProvider({ redirectUri: `${origin}/oauth-agent/callback`, postLogoutRedirectUri: `${origin}/oauth-agent/logged-out` }, providerHost);
    ends.push(provider.stop);
    const key = path.join(folder, 'cookie.key');
    await run(binary(), ['keys', 'generate', '--out', key]);
    const secret = path.join(folder, 'client-secret');
    await writeFile(secret, BASIC.secret, { mode: 0o600 });
    const config = path.join(folder, 'config.toml');
    await writeFile(
      config,
      `[server]
listen = "127.0.0.1:${port}"
[keys]
cookie = ["file:${key}"]
[[app]]
id = "shop"
origin = "${origin}"
${split ? `allowed_origins = ["${pageOrigin}"]\nspa_origin = "${pageOrigin}"` : `spa = { dir = "${folder}" }`}
[app.provider]
issuer = "${provider.issuer}"
client_id = ${JSON.stringify(BASIC.id)}
client_secret = "file:${secret}"
scopes = ["openid", "profile"]
[app.session]
${session}
[[app.route]]
path = "/api"
upstream = "${api.address}"
${routes}`,
    );
    const server = new Child(binary(), ['serve', '--config', config]);
    ends.push(() => server.stop());
    await server.listening(port);
    return { page: `${pageOrigin}/`, origin, port, client, handler, api, provider, server, front, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @typedef {Awaited<ReturnType<typeof startSite>>} Site */

/**
 * A plain file server with the strictest policy.
 * @param {string} folder @param {string} host @param {string} handler @param {Certificate | null} certificate @param {(() => Promise<unknown>)[]} ends
 */
function servePage(folder, host, handler, certificate, ends) {
  return listen(certificate, host, ends, async (request, response) => {
    const name = new URL(request.url ?? '/', 'http://page').pathname.slice(1);
    const isScript = ['page.js', 'token-handler.js'].includes(name);
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html').setHeader('content-security-policy', POLICY(handler));
    response.end(await readFile(path.join(folder, isScript ? name : 'index.html')));
  });
}

/** @typedef {{key: string, cert: string}} Certificate */

/** Of nobody's authority: the browsers are told to take it. @param {string} folder @returns {Promise<Certificate>} */
async function selfSigned(folder) {
  const [key, cert] = ['tls.key', 'tls.crt'].map((name) => path.join(folder, name));
  const names = MAPPED.map((host) => `DNS:${host}`).join(',');
  const made = await run('openssl', [...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=example.test'.split(' '), '-addext', `subjectAltName=${names}`, '-keyout', key, '-out', cert]);
  if (made.code !== 0) throw new Error(made.output);
  return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') };
}

/**
 * @param {Certificate | null} certificate @param {string} host @param {(() => Promise<unknown>)[]} ends @param {http.RequestListener} answer
 * @returns {Promise<string>} its origin
 */
async function listen(certificate, host, ends, answer) {
  const server = certificate ? https.createServer(certificate, answer) : http.createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(async () => {
    server.close();
    server.closeAllConnections();
  });
  return `http${certificate ? 's' : ''}://${host}:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`;
}
