/** Logouts that begin at the provider, as a person sees them: every window is signed out, by the back channel or by a frame. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { at, launch, person, signIn, signedIn, signedOut, startDemo } from './demo.js';

/** @type {import('./demo.js').Demo} */
let demo;
/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  // The pages that frame here are made up on the way, so the browser does not know that they lie on loopback, as we do.
  browser = await launch(['--disable-features=LocalNetworkAccessChecks']);
  demo = await startDemo();
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

/** A call of the page's own script. @param {import('playwright-core').Page} page @param {string} path */
const ask = (page, path) => page.evaluate(async (path) => (await fetch(path, { headers: { 'token-handler-version': '1' } })).json(), path);

/** Who the provider is and what it calls this session: the access token says it, as the API read it. @param {import('playwright-core').Page} page */
async function named(page) {
  const { iss, sid } = (await ask(page, '/api/echo')).authorization.claims;
  assert.ok(iss && sid);
  return { iss, sid };
}

test('who signs out in one app of the demo is signed out of the other one too', async (t) => {
  const alice = await person(browser);
  t.after(alice.close);
  const page = await alice.page();
  await signIn(page, demo);
  // The other origin of the demo is another app with its own cookies; the provider knows her already.
  const other = await alice.page();
  await other.goto(demo.origin.replace('localhost', '127.0.0.1'));
  await at(other, 'sign-in').click();
  await signedIn(other);

  await at(page, 'sign-out').click();
  await signedOut(page);

  for (const deadline = Date.now() + 10_000; ; ) {
    const { is_logged_in: still, reason } = await ask(other, '/oauth-agent/session');
    if (!still) {
      assert.equal(reason, 'revoked', 'the provider said it');
      break;
    }
    assert.ok(Date.now() < deadline, 'the provider never told the other app');
  }
});

test('a frame of the provider signs out, a frame of anybody else is not shown', async (t) => {
  const alice = await person(browser);
  t.after(alice.close);
  const page = await alice.page();
  await signIn(page, demo);
  const { iss, sid } = await named(page);
  const address = (/** @type {string} */ sid) => `${demo.origin}/oauth-agent/frontchannel-logout?${new URLSearchParams({ iss, sid })}`;
  /** A page of `origin` that frames `url`: whether the browser shows it. @param {string} origin @param {string} url */
  const framed = async (origin, url) => {
    const tab = await alice.page();
    await tab.route(`${origin}/frames`, (route) => route.fulfill({ contentType: 'text/html', body: `<!doctype html><iframe src="${url}"></iframe>` }));
    await tab.goto(`${origin}/frames`, { waitUntil: 'load' });
    const frame = tab.frames().find((frame) => frame !== tab.mainFrame()) ?? assert.fail();
    const title = await frame.title().catch(() => '');
    return frame.url() === url && title === 'Signed out';
  };

  assert.equal(await framed(iss, address('nobody')), true);
  assert.equal(await framed('http://evil.localhost', address('nobody')), false);
  assert.equal((await ask(page, '/oauth-agent/session')).is_logged_in, true);

  assert.equal(await framed(iss, address(sid)), true);
  const session = await ask(page, '/oauth-agent/session');
  assert.deepEqual([session.is_logged_in, session.reason], [false, 'logged_out']);
});
