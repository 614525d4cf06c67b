/**
 * Where page, handler and provider can stand to each other, as data; `engines.test.js` runs the same checks on each in each
 * engine. All names end in `.localhost`, which browsers take for loopback and for a trustworthy origin: no hosts file, no
 * certificates, and still real sites, because `app.localhost` is a site of its own to a browser.
 *
 * `page`, `handler` and `provider` are host names; the same name for page and handler is one origin. `sends`: cookies of ours
 * that go along to the callback.
 */

/**
 * @typedef {object} Topology
 * @property {string} name
 * @property {string} page
 * @property {string} handler
 * @property {string} provider
 */

/** @type {readonly Topology[]} */
export const TOPOLOGIES = [
  { name: 'one origin, the provider on another site', page: 'localhost', handler: 'localhost', provider: '127.0.0.1' },
  { name: 'one origin, the provider on a sibling of the same site', page: 'www.app.localhost', handler: 'www.app.localhost', provider: 'login.app.localhost' },
  { name: 'page and handler on siblings, the provider on another site', page: 'www.app.localhost', handler: 'api.app.localhost', provider: '127.0.0.1' },
  { name: 'page and handler on siblings, the provider on a third one', page: 'www.app.localhost', handler: 'api.app.localhost', provider: 'login.app.localhost' },
];

/** Host names below `.localhost` that node has to be told, because not every resolver knows them. */
export const isLocal = (/** @type {string} */ host) => host === 'localhost' || host.endsWith('.localhost');
