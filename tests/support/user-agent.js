/**
 * The part of a browser that a login needs, over plain HTTP on loopback: navigations with their redirects and forms,
 * fetches of a page, cookies by SameSite, `Origin` and Fetch Metadata. `localhost` and `127.0.0.1` are different
 * sites, so an app on the one and a provider on the other meet as they do in the world.
 *
 * Strict cookies follow the stricter engines: one cross-site hop in a chain of redirects keeps them back.
 *
 * @typedef {{status: number, headers: import('node:http').IncomingHttpHeaders, setCookies: string[], url: string,
 *   text: string, json: () => any, location: string | null}} Answer
 */

import http from 'node:http';
import { CookieJar } from './cookie-jar.js';

const MOST_REDIRECTS = 12;

export class UserAgent {
  /** @param {CookieJar} [jar] */
  constructor(jar = new CookieJar()) {
    this.jar = jar;
    this.agent = new http.Agent({ keepAlive: false });
    /** Every answer met, newest last. @type {Answer[]} */
    this.history = [];
  }

  /** The same browser's cookies, as they are now, in another one. */
  twin() {
    return new UserAgent(this.jar.copy());
  }

  close() {
    this.agent.destroy();
  }

  /**
   * Goes to a page and follows redirects until an answer is none, or `stop(url)` holds for the next address: then the
   * answer that names it comes back and nobody has been asked there.
   * @param {string} address
   * @param {{from?: string | null, form?: Record<string, string>, stop?: (url: URL) => boolean}} [options]
   *   `from`: the page that started it; null = typed by the user
   * @returns {Promise<Answer>}
   */
  async navigate(address, { from = null, form, stop = () => false } = {}) {
    let url = new URL(address);
    let method = form ? 'POST' : 'GET';
    let body = form ? new URLSearchParams(form).toString() : undefined;
    const hops = from === null ? [] : [new URL(from)];
    for (let n = 0; n < MOST_REDIRECTS; n += 1) {
      hops.push(url);
      /** @type {Record<string, string>} */
      const headers = {
        accept: 'text/html,application/xhtml+xml',
        'sec-fetch-site': from === null ? 'none' : worstSite(hops, url),
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
        'sec-fetch-user': '?1',
      };
      if (body !== undefined) headers['content-type'] = 'application/x-www-form-urlencoded';
      if (method === 'POST' && from !== null) headers.origin = new URL(from).origin;
      const sameSite = from === null || worstSite(hops, url) !== 'cross-site';
      const answer = await this.#send(url, { method, headers, body, sameSite, topLevelSafe: method === 'GET' });
      if (answer.location === null) return answer;
      const next = new URL(answer.location, url);
      if (stop(next)) return answer;
      if (answer.status !== 307 && answer.status !== 308) [method, body] = ['GET', undefined];
      url = next;
    }
    throw new Error(`too many redirects, last ${url}`);
  }

  /** Sends the one form of a page, its hidden fields kept. @param {Answer} page @param {Record<string, string>} fields */
  submit(page, fields, options = {}) {
    const form = formOf(page.text);
    return this.navigate(new URL(form.action, page.url).href, { from: page.url, form: { ...form.fields, ...fields }, ...options });
  }

  /**
   * What script of a page does: never follows a redirect, so that the test sees it.
   * @param {string} page address of the page @param {string} address
   * @param {{method?: string, headers?: Record<string, string>, json?: unknown, form?: URLSearchParams, sent?: () => void}} [options]
   *   `form`: as `fetch` sends it, an empty one included; `sent` is called when the request has left
   * @returns {Promise<Answer>}
   */
  fetch(page, address, { method = 'GET', headers = {}, json, form, sent } = {}) {
    const url = new URL(address, page);
    const site = worstSite([new URL(page), url], url);
    return this.#send(url, {
      method,
      headers: {
        accept: '*/*',
        'sec-fetch-site': site,
        'sec-fetch-mode': 'cors',
        'sec-fetch-dest': 'empty',
        ...(method !== 'GET' || site !== 'same-origin' ? { origin: new URL(page).origin } : {}),
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' }),
        ...headers,
      },
      body: form?.toString() ?? (json === undefined ? undefined : JSON.stringify(json)),
      sameSite: site !== 'cross-site',
      topLevelSafe: false,
      sent,
    });
  }

  /** @returns {Promise<Answer>} */
  #send(url, { method, headers, body, sameSite, topLevelSafe, sent = () => {} }) {
    const cookie = this.jar.header(url, { sameSite, topLevelSafe });
    const host = url.hostname === 'localhost' ? '127.0.0.1' : url.hostname;
    return new Promise((resolve, reject) => {
      const request = http.request({
        agent: this.agent,
        host,
        port: url.port || 80,
        method,
        path: url.pathname + url.search,
        headers: {
          host: url.host,
          ...headers,
          ...(cookie ? { cookie } : {}),
          ...(method === 'GET' ? {} : { 'content-length': Buffer.byteLength(body ?? '') }),
        },
      });
      request.once('error', reject);
      request.once('finish', sent);
      request.once('response', async (response) => {
        try {
          let text = '';
          for await (const piece of response.setEncoding('utf8')) text += piece;
          const setCookies = response.headers['set-cookie'] ?? [];
          setCookies.forEach((line) => this.jar.take(url, line));
          const redirect = response.statusCode >= 300 && response.statusCode < 400 && response.headers.location;
          const answer = {
            status: response.statusCode ?? 0,
            headers: response.headers,
            setCookies,
            url: url.href,
            text,
            json: () => JSON.parse(text),
            location: redirect || null,
          };
          this.history.push(answer);
          resolve(answer);
        } catch (error) {
          reject(error);
        }
      });
      request.end(body);
    });
  }
}

/** `Sec-Fetch-Site`: the worst relation between the target and any hop before it. @param {URL[]} hops @param {URL} target */
function worstSite(hops, target) {
  if (hops.some((hop) => hop.hostname !== target.hostname)) return 'cross-site';
  return hops.every((hop) => hop.host === target.host) ? 'same-origin' : 'same-site';
}

/** The one form of a page. @param {string} html */
function formOf(html) {
  const form = /<form\b([^>]*)>([\s\S]*?)<\/form>/i.exec(html);
  if (!form) throw new Error(`no form in this page:\n${html}`);
  /** @type {Record<string, string>} */
  const fields = {};
  for (const [, tag] of form[2].matchAll(/<input\b([^>]*)>/gi)) {
    const name = attribute(tag, 'name');
    if (name) fields[name] = attribute(tag, 'value') ?? '';
  }
  return { action: attribute(form[1], 'action') ?? '', fields };
}

/** @param {string} tag @param {string} name */
function attribute(tag, name) {
  const found = new RegExp(`\\b${name}\\s*=\\s*("([^"]*)"|'([^']*)')`, 'i').exec(tag);
  return found ? (found[2] ?? found[3]).replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&') : null;
}
