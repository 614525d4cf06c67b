/**
 * `token-handler.d.ts` out of the JSDoc of `token-handler.js`. As a program it writes the file:
 *
 *     node support/declarations.js
 */

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { root } from './binary.js';

const SOURCE = `${root}spa-demo/js/token-handler.js`;
export const DECLARATIONS = `${root}spa-demo/js/token-handler.d.ts`;

/** Runs `tsc`; what it complains of is the error. @param {string[]} args */
export async function tsc(args) {
  const program = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
  try {
    await promisify(execFile)(process.execPath, [program, ...args]);
  } catch (error) {
    throw new Error(`tsc ${args.join(' ')}\n${error.stdout ?? error}`);
  }
}

/** The declarations as they should be. */
export async function declarations() {
  const folder = await mkdtemp(join(tmpdir(), 'cloakroom-types-'));
  try {
    await tsc([
      ...['--allowJs', '--checkJs', '--strict', '--exactOptionalPropertyTypes', '--declaration', '--emitDeclarationOnly', '--target', 'ES2022', '--module', 'ES2022'],
      ...['--moduleResolution', 'bundler', '--lib', 'ES2022,DOM,DOM.Iterable', '--types', '', '--rootDir', `${root}spa-demo/js`, '--outDir', folder, SOURCE],
    ]);
    const text = await readFile(join(folder, 'token-handler.d.ts'), 'utf8');
    const own = /\/\*\*\n((?: \*(?!\/).*\n)*?) \* @typedef (?:.*\n)*? \*\/\n/g;
    // tsc leaves the comment that declared a type where it stood, and the type itself without its description.
    let told = text.replace(own, '');
    for (const [block, description] of (await readFile(SOURCE, 'utf8')).matchAll(own)) {
      const name = /@typedef \{object\} (\w+)|\} (\w+)\n \*\/\n$/.exec(block)?.slice(1).find(Boolean);
      if (description) told = told.replace(`export type ${name} =`, `/**\n${description} */\n$&`);
    }
    return told;
  } finally {
    await rm(folder, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(DECLARATIONS, await declarations());
