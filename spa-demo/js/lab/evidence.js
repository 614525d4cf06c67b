/**
 * Who judges an attack: not the attacking script, which may believe it has won (`sendBeacon` says `true` and nothing
 * arrives), but the server that would have received the loot, and a flag that only attacking code could have set.
 */

/** @typedef {import('../token-handler.js').TokenHandler} TokenHandler */

/**
 * @typedef {object} Evidence
 * @property {string} attacker Origin of the attacker's server.
 * @property {(via: string, data: string) => string} address Where loot is sent to.
 * @property {(via: string, wait?: boolean) => Promise<boolean>} arrived Asks the attacker's server what it has.
 * @property {string} flag Code that raises the flag when it runs.
 * @property {() => boolean} raised Whether it has run; takes the flag down.
 */

/** @param {TokenHandler} handler @returns {Promise<Evidence>} */
export async function gatherEvidence(handler) {
  const { attacker } = await (await handler.fetch('/api/stage')).json();
  const run = [...crypto.getRandomValues(new Uint8Array(6))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return {
    attacker,
    address: (via, data) => `${attacker}/steal?${new URLSearchParams({ run, via, data })}`,
    async arrived(via, wait = true) {
      // What is on its way gets a moment; what has arrived is seen at once.
      for (let look = 0; look < (wait ? 4 : 1); look += 1) {
        /** @type {{ via: string }[]} */
        const loot = await (await handler.fetch(`/api/stage/loot?run=${run}`)).json();
        if (loot.some((piece) => piece.via === via)) return true;
        if (wait) await pause(75);
      }
      return false;
    },
    flag: `document.documentElement.dataset.pwned = 'yes'`,
    raised() {
      const raised = document.documentElement.dataset.pwned === 'yes';
      delete document.documentElement.dataset.pwned;
      return raised;
    },
  };
}

/** @param {number} milliseconds @returns {Promise<void>} */
export function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
