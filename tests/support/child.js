/**
 * Children of a test: started with their output kept, waited for by their port, ended by their own process id.
 */

import { spawn } from 'node:child_process';
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

export class Child {
  /** @param {string} command @param {string[]} args @param {import('node:child_process').SpawnOptions} [options] */
  constructor(command, args, options = {}) {
    this.command = [command, ...args].join(' ');
    this.output = '';
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    running.add(this.child);
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        this.output += text;
      });
    }
    /** @type {Promise<{code: number | null, signal: string | null}>} */
    this.ended = new Promise((resolve) => {
      this.child.once('error', (error) => {
        this.output += String(error);
        resolve({ code: null, signal: null });
      });
      this.child.once('close', (code, signal) => resolve({ code, signal }));
    });
    this.ended.then((how) => {
      this.how = how;
      running.delete(this.child);
    });
  }

  /**
   * Asks `ready` again and again until it says something true; an ended child or the deadline is an error with what
   * the child said. The condition decides, no pause is guessed.
   * @template T @param {() => T | Promise<T>} ready @param {string} what @param {number} [seconds]
   * @returns {Promise<T>}
   */
  async until(ready, what, seconds = 30) {
    for (const deadline = Date.now() + seconds * 1000; ;) {
      const answer = await ready();
      if (answer) return answer;
      if (this.how) throw new Error(`${this.command} ended (${JSON.stringify(this.how)}) before ${what}:\n${this.output}`);
      if (Date.now() > deadline) throw new Error(`${this.command}: no ${what} in ${seconds} s:\n${this.output}`);
      await pause(15);
    }
  }

  /** Waits until the port takes connections. @param {number} port */
  listening(port) {
    return this.until(() => answers(port), `a listener on port ${port}`);
  }

  /** Asks it to end; insists after ten seconds. Says how it ended. */
  async stop() {
    this.child.kill('SIGTERM');
    const insist = setTimeout(() => this.child.kill('SIGKILL'), 10_000);
    const how = await this.ended;
    clearTimeout(insist);
    return how;
  }
}

/** Runs a command to its end. @param {string} command @param {string[]} args */
export async function run(command, args, options = {}) {
  const child = new Child(command, args, options);
  const { code } = await child.ended;
  return { code, output: child.output };
}

/** A port that nobody listens on now. @returns {Promise<number>} */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {net.AddressInfo} */ (probe.address());
      probe.close(() => resolve(port));
    });
  });
}

/** @param {number} port @returns {Promise<boolean>} */
function answers(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
