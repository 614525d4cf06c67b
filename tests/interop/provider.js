/**
 * A real, certified OpenID provider (the npm package oidc-provider) on a free loopback port, with its own login and
 * consent pages. Not configured to be kind: PKCE is demanded, refresh tokens rotate and a reused one revokes the grant,
 * client secrets hold every character that RFC 6749 §2.3.1 wants encoded.
 */

import { once } from 'node:events';
import http from 'node:http';
import Provider from 'oidc-provider';

/** Speaks to the token endpoint by HTTP Basic; its access tokens are opaque. */
export const BASIC = { id: 'shop basic+client', secret: 'p+ss: w%rd/="&~#' };
/** Speaks to the token endpoint by form fields; its access tokens are JWTs for [`RESOURCE`]. */
export const POST = { id: 'shop-post', secret: 'another&secret=with+%20signs' };
export const RESOURCE = 'https://api.example.test/';

/**
 * @typedef {{grant: string, status: number, basic: boolean, params: Record<string, string>, answer: Record<string, any>}} TokenRequest
 */

/** @param {{redirectUri: string, postLogoutRedirectUri: string, backchannelLogoutUri?: string}} app @param {string} [host] of its issuer */
export async function startProvider(app, host = '127.0.0.1') {
  const server = http.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const issuer = `http://${host}:${port}`;

  const knobs = {
    /** Seconds that new access tokens live. */
    accessTokenLives: 3600,
    /** `expires_in` of the token answers, whatever the tokens' life is: 0 makes one that is over when it arrives. @type {number | null} */
    expiresIn: null,
    /** What access tokens that are JWTs claim beside the usual. @type {Record<string, unknown>} */
    accessTokenClaims: {},
    /** Awaited before a token request is looked at. */
    beforeAsked: async () => {},
    /** Awaited before a token request is answered. @type {(params: Record<string, string>) => Promise<void>} */
    beforeToken: async () => {},
  };
  /** Every token request, in order of its answer. @type {TokenRequest[]} */
  const tokenRequests = [];
  /** What became of each logout that a client was told of. @type {string[]} */
  const told = [];
  /** Every revocation request. @type {{params: Record<string, string>, status: number}[]} */
  const revocations = [];

  const provider = quietly(() => new Provider(issuer, configuration(app, knobs)));
  provider.use(async (ctx, next) => {
    if (ctx.method === 'POST' && ctx.path === '/token') await knobs.beforeAsked();
    await next();
    const params = { ...(ctx.oidc?.body ?? {}) };
    const basic = /^basic /i.test(ctx.headers.authorization ?? '');
    if (ctx.method === 'POST' && ctx.path === '/token') {
      if (ctx.status === 200 && knobs.expiresIn !== null) ctx.body.expires_in = knobs.expiresIn;
      tokenRequests.push({ grant: params.grant_type, status: ctx.status, basic, params, answer: ctx.body });
      await knobs.beforeToken(params);
    }
    if (ctx.method === 'POST' && ctx.path === '/token/revocation') revocations.push({ params, status: ctx.status });
  });
  provider.on('backchannel.success', () => told.push('ok'));
  provider.on('backchannel.error', (_ctx, error) => told.push(String(error)));
  server.on('request', provider.callback());

  return {
    issuer,
    knobs,
    tokenRequests,
    revocations,
    told,
    /** The newest successful token answer. */
    newest: () => tokenRequests.findLast((request) => request.status === 200)?.answer,
    /** RFC 7662, as the confidential client itself. @param {typeof BASIC} client @param {string} token */
    async isActive(client, token) {
      const credentials = [client.id, client.secret].map((part) => encodeURIComponent(part)).join(':');
      const answer = await fetch(`${issuer}/token/introspection`, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          ...(client === BASIC ? { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` } : {}),
        },
        body: new URLSearchParams({ token, ...(client === BASIC ? {} : { client_id: client.id, client_secret: client.secret }) }),
      });
      if (!answer.ok) throw new Error(`introspection said ${answer.status}: ${await answer.text()}`);
      return (await answer.json()).active;
    },
    async stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Without the advice for production that it prints at every start. @template T @param {() => T} make @returns {T} */
function quietly(make) {
  const { warn, info } = console;
  Object.assign(console, { warn() {}, info() {} });
  try {
    return make();
  } finally {
    Object.assign(console, { warn, info });
  }
}

function configuration(app, knobs) {
  const client = ({ id, secret }, method) => ({
    client_id: id,
    client_secret: secret,
    token_endpoint_auth_method: method,
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    redirect_uris: [app.redirectUri],
    post_logout_redirect_uris: [app.postLogoutRedirectUri],
    ...(app.backchannelLogoutUri ? { backchannel_logout_uri: app.backchannelLogoutUri, backchannel_logout_session_required: true } : {}),
  });
  return {
    clients: [client(BASIC, 'client_secret_basic'), client(POST, 'client_secret_post')],
    cookies: { keys: ['only a test'] },
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'] },
    extraTokenClaims: async () => knobs.accessTokenClaims,
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: async () => true,
    expiresWithSession: async () => false,
    findAccount: async (_ctx, id) => ({
      accountId: id,
      claims: async () => ({ sub: id, name: `${id} of the test`, preferred_username: id }),
    }),
    // Its fetches refuse loopback by their dispatcher; everything here is loopback.
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
    ttl: {
      AccessToken: () => knobs.accessTokenLives,
      IdToken: () => 3600,
      RefreshToken: () => 24 * 3600,
      Grant: () => 24 * 3600,
      Session: () => 24 * 3600,
      Interaction: () => 600,
    },
    features: {
      devInteractions: { enabled: true },
      introspection: { enabled: true, allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId },
      revocation: { enabled: true, allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId },
      rpInitiatedLogout: { enabled: true },
      backchannelLogout: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_ctx, of) => (of?.clientId === POST.id ? RESOURCE : undefined),
        useGrantedResource: async () => true,
        getResourceServerInfo: async () => ({
          scope: 'orders:read',
          audience: RESOURCE,
          accessTokenTTL: knobs.accessTokenLives,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  };
}
