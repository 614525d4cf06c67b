/**
 * docs/tutorial-own-spa.md, done as a reader does it: its blocks are the files, its lines the commands. What differs is what
 * differs for every reader: ports, the provider, the name and secret of the client.
 */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { BASIC, startProvider } from '../interop/provider.js';
import { binary, root } from '../support/binary.js';
import { Child, freePort, run } from '../support/child.js';
import { EXAMPLE, install } from '../support/example.js';
import { launch, person, reads } from './demo.js';

const PAGE = await readFile(`${root}docs/tutorial-own-spa.md`, 'utf8');

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  await install();
  browser = await launch();
});
after(() => browser?.close());

/** @typedef {{language: string, file: string, text: string}} Block `file`: the last name in the line that introduces it */

/** @returns {{main: Block[], another: Block[], built: Block[]}} */
function blocks() {
  const [main, another, built, ...rest] = PAGE.split(/^## .*$/m).map((section) =>
    [...section.matchAll(/([^\n]*)\n\n```(\w+)\n([^]*?)```/g)].map(([, before, language, text]) => ({
      language,
      file: [...before.matchAll(/`([\w./-]+\.\w+)`/g)].at(-1)?.[1] ?? '',
      text,
    })),
  );
  assert.equal(rest.length, 0, 'a section that nobody follows');
  return { main, another, built };
}

/** One reader with two folders, three ports and a client at a provider. @param {'page' | 'handler'} origin whose port the app has */
async function reader(origin) {
  /** @type {(() => Promise<unknown>)[]} */
  const ends = [];
  const stop = async () => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  const folder = await mkdtemp(path.join(tmpdir(), 'cloakroom-tutorial-'));
  ends.push(() => rm(folder, { recursive: true, force: true }));
  const [cloakroom, spa] = ['cloakroom', 'my-spa'].map((name) => path.join(folder, name));
  const ports = { page: await freePort(), handler: await freePort(), api: await freePort() };
  const app = `http://localhost:${ports[origin]}`;
  const provider = await startProvider({ redirectUri: `${app}/oauth-agent/callback`, postLogoutRedirectUri: `${app}/oauth-agent/logged-out` });
  ends.push(provider.stop);

  /** As this reader has to write it. @param {string} text */
  const mine = (text) =>
    text
      .replaceAll('5173', String(ports.page))
      .replaceAll('8080', String(ports.handler))
      .replaceAll('9001', String(ports.api))
      .replaceAll('https://login.example.com', provider.issuer)
      .replaceAll('client_id = "my-spa"', `client_id = ${JSON.stringify(BASIC.id)}`)
      .replaceAll('THE SECRET', BASIC.secret);

  /** A project of this reader's, with Vite in it. */
  async function project() {
    await mkdir(cloakroom);
    await mkdir(`${spa}/src`, { recursive: true });
    await mkdir(`${spa}/node_modules/.bin`, { recursive: true });
    // `exec`, or npm ends without its child.
    await writeFile(`${spa}/package.json`, JSON.stringify({ name: 'my-spa', private: true, type: 'module', scripts: { dev: 'exec vite', build: 'vite build' } }));
    await symlink(`${EXAMPLE}node_modules/vite`, `${spa}/node_modules/vite`);
    await symlink('../vite/bin/vite.js', `${spa}/node_modules/.bin/vite`);
    await writeFile(`${spa}/src/token-handler.js`, await readFile(`${root}spa-demo/js/token-handler.js`));
  }

  const env = { ...process.env, NO_COLOR: '1', PATH: `${path.dirname(binary())}:${process.env.PATH}` };
  /** To its end. @param {string} command @param {string} cwd */
  async function finish(command, cwd) {
    const { code, output } = await run('sh', ['-c', mine(command)], { cwd, env });
    assert.equal(code, 0, `${command}: ${output}`);
    return output;
  }
  /** Until the end of the test. @param {string} command @param {string} cwd @param {number} port */
  async function start(command, cwd, port) {
    const [program, ...args] = mine(command).split(' ');
    const child = new Child(program, args, { cwd, env });
    ends.push(() => child.stop());
    await child.until(() => fetch(`http://localhost:${port}/`).then(() => true, () => false), `somebody on port ${port}`, 60);
    return child;
  }

  let checked = '';
  /** What runs a command of the page: every one has to be here. @type {Record<string, () => Promise<unknown>>} */
  const commands = {
    'cloakroom init': () => finish('cloakroom init', cloakroom),
    "printf %s 'THE SECRET' > keys/client-secret": () => finish("printf %s 'THE SECRET' > keys/client-secret", cloakroom),
    'cloakroom check --online': async () => (checked = await finish('cloakroom check --online', cloakroom)),
    'cloakroom explain GET /api/hello': async () => assert.match(await finish('cloakroom explain GET /api/hello', cloakroom), /fix: let script send it/),
    'node api.mjs': () => start('node api.mjs', cloakroom, ports.api),
    'cloakroom serve': () => start('cloakroom serve', cloakroom, ports.handler),
    'npm run dev': () => start('npm run dev', spa, ports.page),
    'npm run build': () => finish('npm run build', spa),
  };

  /** Does what the blocks say, in their order. @param {Block[]} some @param {string[]} [without] commands that are not run this time */
  async function follow(some, without = []) {
    for (const { language, file, text } of some) {
      const where = file === 'config.toml' || file === 'api.mjs' ? `${cloakroom}/${file}` : `${spa}/${file}`;
      if (language === 'sh') {
        const command = text.trim();
        const act = commands[command] ?? assert.fail(`nothing runs \`${command}\``);
        if (!without.includes(command)) await act();
      } else if (language === 'text') {
        for (const line of mine(text).trimEnd().split('\n')) assert.ok(checked.includes(`${line}\n`), `${line}\n\n${checked}`);
      } else if (language === 'toml') {
        assert.equal(file, 'config.toml', text);
        await writeFile(where, edited(mine(await readFile(where, 'utf8')), mine(text)));
      } else {
        assert.ok(file, `no file is named for:\n${text}`);
        const old = await readFile(where, 'utf8').catch(() => '');
        await writeFile(where, some === page.another ? replaced(old, mine(text)) : mine(text));
      }
    }
  }

  try {
    await project();
  } catch (error) {
    await stop();
    throw error;
  }
  return { follow, start, ports, spa, cloakroom, provider, mine, ends, stop, checked: () => checked };
}

const page = blocks();
const SERVERS = ['cloakroom serve', 'npm run dev'];

/**
 * Sets keys as a reader does: the line of the key where there is one, below the header where there is none.
 * @param {string} config @param {string} block
 */
function edited(config, block) {
  let lines = config.split('\n');
  let header = '';
  for (const line of block.split('\n').filter(Boolean)) {
    if (line.startsWith('[')) {
      header = line;
      continue;
    }
    const key = line.split(' = ')[0];
    const from = lines.findIndex((one) => one.split('#')[0].trim() === header);
    assert.ok(from >= 0, `${header} is not in what init wrote`);
    const next = lines.findIndex((one, at) => at > from && one.startsWith('['));
    const at = lines.findIndex((one, at) => at > from && (next < 0 || at < next) && one.startsWith(`${key} = `));
    lines = at < 0 ? lines.toSpliced(from + 1, 0, line) : lines.with(at, line);
  }
  return lines.join('\n');
}

/** Lines in the place of those that declare the same name. @param {string} file @param {string} block */
function replaced(file, block) {
  for (const line of block.trimEnd().split('\n')) {
    const declares = `${line.split(' = ')[0]} = `;
    const old = file.split('\n').find((one) => one.startsWith(declares)) ?? assert.fail(`nothing declares ${declares}`);
    file = file.replace(old, () => line);
  }
  return file;
}

/**
 * Step 8: a call that is refused, a sign-in, one that goes through, and out again.
 * @param {import('node:test').TestContext} t @param {Awaited<ReturnType<typeof reader>>} me @param {number} port
 */
async function tryIt(t, me, port) {
  const alice = await person(browser);
  t.after(alice.close);
  const tab = await alice.page();
  const origin = `http://localhost:${port}`;
  await tab.goto(`${origin}/`);
  await reads(tab, '#who', 'anonymous');
  await tab.click('#call');
  await reads(tab, '#answer', /^401 .*session_missing/);
  await tab.click('#sign-in');
  await tab.locator('input[name=login]').fill('alice');
  await tab.locator('input[name=password]').fill('any will do');
  await tab.locator('button[type=submit]').click();
  await tab.getByRole('button', { name: 'Continue' }).click();
  await reads(tab, '#who', 'alice');
  assert.equal(new URL(tab.url()).origin, origin);
  await tab.click('#call');
  await reads(tab, '#answer', '200 {"token":true}');
  const names = (await alice.context.cookies(origin)).map((cookie) => cookie.name).filter((name) => name.startsWith('__Host-Http-my-spa-'));
  assert.deepEqual(names.sort(), ['at', 'id', 'rt'].map((part) => `__Host-Http-my-spa-${part}`));
  assert.deepEqual(await tab.evaluate(() => [document.cookie, localStorage.length, sessionStorage.length]), ['', 0, 0]);
  await tab.click('#sign-out');
  await tab.getByRole('button', { name: /Yes, sign me out/ }).click();
  await reads(tab, '#who', 'anonymous');
  assert.equal(new URL(tab.url()).origin, origin);
  // The call without a session is red in any console; nothing else is.
  assert.deepEqual(alice.complaints.filter((line) => line.includes(origin) && !line.includes('401')), []);
}

test('from init to a sign-in through the proxy of Vite', async (t) => {
  const me = await reader('page');
  t.after(me.stop);
  await me.follow(page.main);
  assert.match(me.checked(), /CR-C071/);
  assert.match(me.checked(), /warn {2}upstream {6}\S+ \(route `\/api`\)/);
  assert.doesNotMatch(me.checked(), /\n {2}(fail|down) /);
  await tryIt(t, me, me.ports.page);
});

test('a dev server without a proxy: the page calls across ports', async (t) => {
  const me = await reader('handler');
  t.after(me.stop);
  await me.follow(page.main, SERVERS);
  await me.follow(page.another);
  await me.follow([{ language: 'sh', file: '', text: 'cloakroom check --online' }, { language: 'sh', file: '', text: 'cloakroom serve' }]);
  const registered = me.mine('redirect URI http://localhost:8080/oauth-agent/callback');
  assert.ok(me.checked().includes(registered), me.checked());
  assert.doesNotMatch(me.checked(), /CR-C07/);
  // Files and nothing else.
  const types = { '.js': 'text/javascript', '.html': 'text/html' };
  const files = http.createServer(async (request, response) => {
    const name = request.url === '/' ? '/index.html' : new URL(request.url ?? '/', 'http://page').pathname;
    const text = await readFile(path.join(me.spa, name)).catch(() => null);
    response.writeHead(text ? 200 : 404, { 'content-type': types[/** @type {keyof typeof types} */ (path.extname(name))] ?? 'text/plain' }).end(text ?? '');
  });
  await new Promise((resolve) => files.listen(me.ports.page, '127.0.0.1', () => resolve(undefined)));
  me.ends.push(async () => {
    files.close();
    files.closeAllConnections();
  });
  await tryIt(t, me, me.ports.page);
});

test('built, Cloakroom serves the page itself, under its strict policy', async (t) => {
  const me = await reader('handler');
  t.after(me.stop);
  await me.follow(page.main, SERVERS);
  await me.follow(page.built);
  await me.follow([{ language: 'sh', file: '', text: 'cloakroom serve' }]);
  await tryIt(t, me, me.ports.handler);
});
