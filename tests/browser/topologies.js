/**
 * Where page, handler and provider can stand to each other, as data; `engines.test.js` runs the same checks on each in each
 * engine. Names that end in `.localhost` are loopback and a trustworthy origin to a browser: no hosts file, no certificates,
 * and still real sites, because `app.localhost` is a site of its own. The others are mapped to loopback in the browser and
 * speak https.
 *
 * `page`, `handler` and `provider` are host names; the same name for page and handler is one origin.
 */

/**
 * @typedef {object} Topology
 * @property {string} name
 * @property {string} page
 * @property {string} handler
 * @property {string} provider
 * @property {boolean} [https] Page and handler behind TLS.
 */

/** @type {readonly Topology[]} */
export const TOPOLOGIES = [
  { name: 'one origin, the provider on another site', page: 'localhost', handler: 'localhost', provider: '127.0.0.1' },
  { name: 'one origin, the provider on a sibling of the same site', page: 'www.app.localhost', handler: 'www.app.localhost', provider: 'login.app.localhost' },
  { name: 'page and handler on siblings, the provider on another site', page: 'www.app.localhost', handler: 'api.app.localhost', provider: '127.0.0.1' },
  { name: 'page and handler on siblings, the provider on a third one', page: 'www.app.localhost', handler: 'api.app.localhost', provider: 'login.app.localhost' },
  { name: 'https, one origin', page: 'shop.example.test', handler: 'shop.example.test', provider: '127.0.0.1', https: true },
  { name: 'https, page and handler on siblings', page: 'www.example.test', handler: 'api.example.test', provider: '127.0.0.1', https: true },
];

/** What the browsers are told to find on loopback. */
export const MAPPED = [...new Set(TOPOLOGIES.filter(({ https }) => https).flatMap(({ page, handler }) => [page, handler]))];
