import { announce } from '../announce.js';
import { byId, element, setText } from '../element.js';
import { GOALS } from '../lab/attacks.js';
import { gatherEvidence } from '../lab/evidence.js';
import { problem } from '../problem.js';

/** @typedef {import('../token-handler.js').TokenHandler} TokenHandler */
/** @typedef {import('../lab/attacks.js').Attack} Attack */
/** @typedef {import('../lab/attacks.js').Outcome} Outcome */

/**
 * Runs real attacks in this page and says which worked. Some do, and the panel says that, too.
 * @param {TokenHandler} handler
 */
export function labPanel(handler) {
  const button = byId('run-attacks', HTMLButtonElement);
  const leave = byId('leak-by-leaving', HTMLButtonElement);
  const summary = byId('lab-summary', HTMLParagraphElement);
  const list = byId('lab-list', HTMLDetailsElement);
  const reports = byId('lab-reports', HTMLParagraphElement);
  const left = byId('lab-left', HTMLParagraphElement);
  const trouble = byId('lab-problem', HTMLDivElement);
  const table = element('table', { class: 'attacks', 'data-testid': 'attacks' });
  list.append(table);

  let violations = 0;
  document.addEventListener('securitypolicyviolation', () => (violations += 1));

  /** @type {Map<string, { seen: HTMLElement, verdict: HTMLElement }>} */
  const cells = new Map();
  table.append(
    element('caption', {}, 'Each attack is made with the rights of this page’s own script; the server that should have been robbed is asked what it got.'),
    element('thead', {}, element('tr', {}, ...['Attack', 'What came of it', 'Verdict'].map((title) => element('th', { scope: 'col' }, title)))),
  );
  for (const goal of GOALS) {
    const rows = goal.attacks.map((attack) => {
      const seen = element('td', { 'data-label': 'What came of it', class: 'quiet' }, '–');
      const verdict = element('td', { 'data-label': 'Verdict' });
      cells.set(attack.id, { seen, verdict });
      return element('tr', { 'data-attack': attack.id }, element('th', { scope: 'row' }, attack.title, element('br'), element('code', { class: 'quiet' }, attack.tries)), seen, verdict);
    });
    const heading = element('tr', { class: 'goal' }, element('th', { scope: 'rowgroup', colspan: 3 }, goal.title));
    table.append(element('tbody', {}, heading, ...rows));
  }

  /** @param {Attack} attack @param {Outcome} outcome */
  function tell(attack, { worked, seen }) {
    const cell = cells.get(attack.id);
    if (!cell) return;
    setText(cell.seen, seen);
    cell.seen.className = '';
    cell.verdict.replaceChildren(element('span', { class: worked ? 'chip bad' : 'chip good' }, worked ? 'worked' : 'failed'));
  }

  async function run() {
    if (button.hasAttribute('aria-busy')) return;
    button.setAttribute('aria-busy', 'true');
    trouble.replaceChildren();
    setText(summary, 'Attacking…');
    const before = violations;
    /** @type {string[]} */
    const worked = [];
    let failed = 0;
    try {
      const evidence = await gatherEvidence(handler);
      list.open = true;
      for (const attack of GOALS.flatMap((goal) => goal.attacks)) {
        const outcome = await attack.run(evidence);
        tell(attack, outcome);
        if (outcome.worked) worked.push(attack.title);
        else failed += 1;
      }
      setText(summary, `${failed} attacks failed${worked.length > 0 ? `; ${worked.length} worked: ${worked.join(', ')}.` : '.'}`);
      setText(reports, `The policy reported ${violations - before} violations while they ran.`);
      void handler.reload(); // some of them renewed the session
    } catch (error) {
      setText(summary, '');
      trouble.replaceChildren(problem(error));
    }
    announce(summary.textContent ?? '');
    button.removeAttribute('aria-busy');
    summary.focus({ preventScroll: true });
  }

  async function leakByLeaving() {
    trouble.replaceChildren();
    try {
      const evidence = await gatherEvidence(handler); // quickly: browsers open a page for a user who has just clicked
      const { session } = handler;
      const who = session.status === 'authenticated' ? String(session.claims.name ?? session.claims.sub) : 'Nobody';
      element('a', { href: evidence.address('navigation', `${who} is signed in at ${location.origin}.`), target: '_blank', rel: 'noopener' }).click();
      const arrived = await evidence.arrived('navigation');
      setText(left, arrived ? 'It arrived. The other tab shows what was carried off.' : 'Nothing has arrived; perhaps this browser keeps pages from opening tabs.');
      announce(left.textContent ?? '');
    } catch (error) {
      trouble.replaceChildren(problem(error));
    }
  }

  button.addEventListener('click', run);
  leave.addEventListener('click', leakByLeaving);
}
