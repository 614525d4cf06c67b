/**
 * A cookie jar that keeps the rules of a browser which matter here: name prefixes, size, Path, SameSite, expiry.
 * What a browser would drop without a word is an error, because a server that sets such a cookie is wrong.
 *
 * @typedef {{name: string, value: string, host: string, path: string, hostOnly: boolean, secure: boolean,
 *   httpOnly: boolean, sameSite: 'Strict' | 'Lax' | 'None', expires: number | null}} Cookie
 */

/** RFC 6265bis §5.6: name and value together. */
const LARGEST = 4096;

export class CookieJar {
  /** @type {Map<string, Cookie>} */
  #cookies = new Map();

  /** A second jar with the same cookies: what a thief, a second tab or a late answer holds. */
  copy() {
    const other = new CookieJar();
    for (const [key, cookie] of this.#cookies) other.#cookies.set(key, { ...cookie });
    return other;
  }

  /** All live cookies of a host. @param {string} host @returns {Cookie[]} */
  all(host) {
    const now = Date.now();
    return [...this.#cookies.values()].filter((c) => c.host === host && (c.expires === null || c.expires > now));
  }

  /** Names of a host's live cookies, sorted. @param {string} host */
  names(host) {
    return this.all(host).map((c) => c.name).sort();
  }

  /**
   * The `Cookie` header for a request. @param {URL} url
   * @param {{sameSite: boolean, topLevelSafe: boolean}} context whether every hop was same-site; whether it is a top-level GET
   */
  header(url, { sameSite, topLevelSafe }) {
    return this.all(url.hostname)
      .filter((c) => pathMatches(url.pathname, c.path))
      .filter((c) => sameSite || c.sameSite === 'None' || (c.sameSite === 'Lax' && topLevelSafe))
      .sort((a, b) => b.path.length - a.path.length)
      .map((c) => `${c.name}=${c.value}`)
      .join('; ');
  }

  /** Takes one `Set-Cookie` line of an answer from `url`. @param {URL} url @param {string} line */
  take(url, line) {
    const cookie = parse(url, line);
    const refused = reasonToRefuse(cookie, line);
    if (refused) throw new Error(`a browser drops this cookie (${refused}): ${cookie.name}`);
    const key = `${cookie.host} ${cookie.path} ${cookie.name}`;
    if (cookie.expires !== null && cookie.expires <= Date.now()) this.#cookies.delete(key);
    else this.#cookies.set(key, cookie);
  }
}

/** @param {URL} url @param {string} line @returns {Cookie} */
export function parse(url, line) {
  const [pair, ...rest] = line.split(';').map((part) => part.trim());
  const cut = pair.indexOf('=');
  /** @type {Map<string, string>} */
  const attributes = new Map(
    rest.map((part) => {
      const at = part.indexOf('=');
      return at < 0 ? [part.toLowerCase(), ''] : [part.slice(0, at).toLowerCase(), part.slice(at + 1)];
    }),
  );
  const maxAge = attributes.get('max-age');
  const expires = attributes.get('expires');
  const sameSite = attributes.get('samesite')?.toLowerCase();
  return {
    name: pair.slice(0, cut),
    value: pair.slice(cut + 1),
    host: url.hostname,
    path: attributes.get('path')?.startsWith('/') ? attributes.get('path') : defaultPath(url.pathname),
    hostOnly: !attributes.has('domain'),
    secure: attributes.has('secure'),
    httpOnly: attributes.has('httponly'),
    sameSite: sameSite === 'strict' ? 'Strict' : sameSite === 'none' ? 'None' : 'Lax',
    expires: maxAge !== undefined ? Date.now() + Number(maxAge) * 1000 : expires ? Date.parse(expires) : null,
  };
}

/** @param {Cookie} cookie @param {string} line */
function reasonToRefuse(cookie, line) {
  const host = cookie.name.toLowerCase().startsWith('__host-');
  if (cookie.name.length + cookie.value.length > LARGEST) return 'NameValuePairExceedsMaxSize';
  if (host && !(cookie.secure && cookie.hostOnly && cookie.path === '/' && /;\s*path=\//i.test(line))) return 'InvalidPrefix';
  if (cookie.name.toLowerCase().startsWith('__host-http-') && !cookie.httpOnly) return 'InvalidPrefix';
  if (cookie.sameSite === 'None' && !cookie.secure) return 'SameSiteNoneInsecure';
  return null;
}

/** RFC 6265bis §5.1.4. @param {string} path @param {string} scope */
function pathMatches(path, scope) {
  return path === scope || (path.startsWith(scope) && (scope.endsWith('/') || path[scope.length] === '/'));
}

/** @param {string} path */
function defaultPath(path) {
  const cut = path.lastIndexOf('/');
  return cut <= 0 ? '/' : path.slice(0, cut);
}
