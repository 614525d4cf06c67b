/**
 * `examples/vite-react/` stands alone, as a project of a user would, so it has copies of the client and the recipes. As a
 * program this makes them anew:
 *
 *     node support/example.js
 */

import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { root } from './binary.js';
import { run } from './child.js';

export const EXAMPLE = `${root}examples/vite-react/`;

/** What is copied below `src/`, and from where. */
const COPIES = [
  ...['token-handler.js', 'token-handler.d.ts'].map((name) => ({ name, from: `spa-demo/js/${name}` })),
  ...['handler.ts', 'fetch.ts', 'react.tsx', 'tanstack-query.ts'].map((name) => ({ name, from: `examples/recipes/${name}` })),
];

/** Every copy as it should be. @returns {Promise<{path: string, text: string}[]>} */
export function copies() {
  return Promise.all(
    COPIES.map(async ({ name, from }) => ({
      path: `${EXAMPLE}src/${name}`,
      text: (await readFile(`${root}${from}`, 'utf8')).replaceAll('../../spa-demo/js/', './'),
    })),
  );
}

/** Its packages, installed unless they are those of its lock file. */
export async function install() {
  const [lock, installed] = await Promise.all(['package-lock.json', 'node_modules/.lock-installed'].map((name) => readFile(`${EXAMPLE}${name}`, 'utf8').catch(() => '')));
  if (lock === installed) return;
  const { code, output } = await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: EXAMPLE });
  if (code !== 0) throw new Error(output);
  await writeFile(`${EXAMPLE}node_modules/.lock-installed`, lock);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { path, text } of await copies()) await writeFile(path, text);
}
