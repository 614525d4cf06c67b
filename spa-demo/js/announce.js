import { byId, setText } from './element.js';

/** Says one sentence to people who listen to the page instead of seeing it. @param {string} sentence */
export function announce(sentence) {
  setText(byId('announcer', HTMLParagraphElement), sentence);
}
