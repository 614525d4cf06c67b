/**
 * Client-side history: each panel has a path of its own, so that a deep link survives the sign-in (`return_to`).
 * All panels stay on the page; a route only brings one of them into view.
 */

let shown = '';

const links = [...document.querySelectorAll('a[data-route]')].filter((link) => link instanceof HTMLAnchorElement);

export function startRoutes() {
  for (const link of links) link.addEventListener('click', follow);
  addEventListener('popstate', () => {
    if (location.pathname !== shown) show(location.pathname, true); // a fragment alone is the browser's business
  });
  show(location.pathname, false); // at load the reader's place is the top of the document: bring into view, take no focus
}

/** @param {MouseEvent} event */
function follow(event) {
  const link = event.currentTarget;
  const wantsNewTab = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
  if (!(link instanceof HTMLAnchorElement) || wantsNewTab) return;
  event.preventDefault();
  if (link.pathname !== location.pathname) history.pushState(null, '', link.pathname);
  show(link.pathname, true);
}

/**
 * @param {string} path
 * @param {boolean} focus
 */
function show(path, focus) {
  shown = path;
  for (const link of links) {
    if (link.pathname === path && path !== '/') link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  const isPanel = path !== '/' && links.some((link) => link.pathname === path);
  const panel = isPanel ? document.getElementById(path.slice(1)) : null;
  const heading = panel?.querySelector('h2');
  if (heading instanceof HTMLElement) {
    panel?.scrollIntoView();
    if (focus) heading.focus({ preventScroll: true });
  } else if (focus) {
    scrollTo(0, 0);
    document.getElementById('status')?.focus({ preventScroll: true });
  }
}
