/** What is promised of the file itself: small, typed, without dependencies, and the examples around it compile. */

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { transform } from 'esbuild';
import { root } from '../support/binary.js';
import { DECLARATIONS, declarations, tsc } from '../support/declarations.js';

/** Bytes, minified and compressed. */
const LARGEST = 5_000;

const source = await readFile(`${root}spa-demo/js/token-handler.js`, 'utf8');

test('the client stays within five kilobytes, minified and compressed', async (t) => {
  const { code } = await transform(source, { minify: true, format: 'esm', target: 'es2022' });
  const size = gzipSync(code, { level: 9 }).length;
  t.diagnostic(`${size} bytes`);
  assert.ok(size <= LARGEST, `${size} bytes`);
});

test('the client is one file that imports nothing and touches neither document.cookie nor storage nor markup', () => {
  const code = source.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
  for (const word of [/\bimport\b/, /\brequire\b/, /document\.cookie/, /cookieStore/, /localStorage/, /sessionStorage/, /indexedDB/, /innerHTML/, /\beval\b/, /new Function/, /createElement/]) {
    assert.doesNotMatch(code, word);
  }
});

test('the declarations beside it are those of its JSDoc, and none says `any`', async () => {
  const checkedIn = await readFile(DECLARATIONS, 'utf8');
  assert.equal(checkedIn, await declarations(), 'write them anew: cd tests && node support/declarations.js');
  assert.doesNotMatch(checkedIn.replace(/\/\*[\s\S]*?\*\//g, ''), /\bany\b/);
});

for (const project of ['spa-demo/jsconfig.json', 'examples/recipes/tsconfig.json', 'tests/client/samples/tsconfig.json']) {
  test(`${project} holds under tsc --strict`, () => tsc(['-p', `${root}${project}`]));
}

test('every function and option of the declarations is in the reference', async () => {
  const page = await readFile(`${root}docs/reference/client.md`, 'utf8');
  const types = (await readFile(DECLARATIONS, 'utf8')).replace(/\/\*[\s\S]*?\*\//g, '');
  const members = [...types.matchAll(/^ {4}(\w+)\??: /gm)].map(([, name]) => name);
  const exported = [...types.matchAll(/^export declare (?:function|class) (\w+)/gm)].map(([, name]) => name);
  const reasons = [...(/AnonymousReason = (.*);/.exec(types)?.[1] ?? '').matchAll(/'(\w+)'/g)].map(([, name]) => name);
  assert.ok(members.length > 25 && exported.length === 3 && reasons.length === 6, 'the search is wrong');
  for (const name of [...members, ...exported, ...reasons]) assert.match(page, new RegExp(`\`${name}\\b`), `${name} is not in docs/reference/client.md`);
});

test('every recipe of the manual is a file that these tests run', async () => {
  const page = await readFile(`${root}docs/how-to/spa.md`, 'utf8');
  const recipes = (await readdir(`${root}examples/recipes`)).filter((name) => /\.tsx?$/.test(name) && name !== 'handler.ts');
  const tests = await readFile(new URL('recipes.test.js', import.meta.url), 'utf8');
  for (const name of recipes) {
    assert.ok(page.includes(`examples/recipes/${name}`), `${name} is not in docs/how-to/spa.md`);
    assert.ok(tests.includes(`'${name}'`), `${name} is not run by recipes.test.js`);
  }
});
