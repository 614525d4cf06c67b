/** Where the binary under test lies: what `cargo build` made, or `CLOAKROOM_BIN`. */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** @returns {string} */
export function binary() {
  const path = process.env.CLOAKROOM_BIN ?? `${root}target/debug/cloakroom`;
  if (!existsSync(path)) throw new Error(`no binary at ${path}: cargo build`);
  return path;
}
