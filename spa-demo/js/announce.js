import { byId } from './element.js';

/** Says one sentence to people who listen to the page instead of seeing it. @param {string} sentence */
export function announce(sentence) {
  const region = byId('announcer', HTMLParagraphElement);
  region.textContent = ''; // the same sentence twice is heard twice only if the region was empty in between
  setTimeout(() => {
    region.textContent = sentence;
  }, 100);
}
