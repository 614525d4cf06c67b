/** Shows JSON of any shape as a page part: records as lists of terms, lists of records as tables. Knows no field by name but times. */

import { element } from './element.js';

/**
 * @param {unknown} value
 * @param {string} [name] The field it came from: tells a time from a number.
 * @param {number} [depth]
 * @returns {HTMLElement}
 */
export function valueView(value, name = '', depth = 0) {
  if (depth > DEEPEST) return element('code', {}, JSON.stringify(value));
  if (Array.isArray(value)) return listView(value, name, depth);
  if (isRecord(value)) return recordView(value, depth);
  return plainView(value, name);
}

/**
 * The bytes as they came, for whoever wants to compare.
 * @param {unknown} value
 */
export function rawView(value) {
  return element('details', {}, element('summary', {}, 'As JSON'), element('pre', { tabindex: 0 }, JSON.stringify(value, null, 2)));
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
export function isRecord(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * @param {Record<string, unknown>} record
 * @param {number} depth
 */
function recordView(record, depth) {
  const entries = Object.entries(record);
  if (entries.length === 0) return nothing();
  const rows = entries.map(([name, value]) => {
    const view = valueView(value, name, depth + 1);
    const isLong = depth === 0 && isRecord(value) && Object.keys(value).length > FOLD_FROM;
    const shown = isLong ? element('details', {}, element('summary', {}, `${Object.keys(value).length} entries`), view) : view;
    return element('div', { class: isNested(value) && !isLong ? 'nested' : 'row' }, element('dt', {}, name), element('dd', {}, shown));
  });
  return element('dl', { class: 'record' }, ...rows);
}

/**
 * @param {unknown[]} list
 * @param {string} name
 * @param {number} depth
 */
function listView(list, name, depth) {
  if (list.length === 0) return nothing();
  if (list.every(isRecord) && list.every((record) => !Object.values(record).some(isNested))) return tableView(list);
  return element('ul', { class: 'list' }, ...list.map((item) => element('li', {}, valueView(item, name, depth + 1))));
}

/** @param {Record<string, unknown>[]} records */
function tableView(records) {
  const columns = [...new Set(records.flatMap(Object.keys))];
  const head = element('tr', {}, ...columns.map((column) => element('th', { scope: 'col' }, column)));
  const rows = records.map((record) => element('tr', {}, ...columns.map((column) => element('td', {}, column in record && valueView(record[column], column)))));
  return element('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Table' }, element('table', {}, element('thead', {}, head), element('tbody', {}, ...rows)));
}

/**
 * @param {unknown} value
 * @param {string} name
 */
function plainView(value, name) {
  if (value === null || value === undefined || value === '') return element('span', { class: 'quiet' }, value === '' ? 'empty text' : 'null');
  if (typeof value === 'number' && TIMES.has(name)) {
    const time = new Date(value * 1000);
    if (!Number.isNaN(time.getTime())) return element('span', {}, element('code', {}, value), ' ', element('time', { datetime: time.toISOString(), class: 'quiet' }, time.toLocaleString()));
  }
  return element('code', {}, String(value));
}

function nothing() {
  return element('span', { class: 'quiet' }, 'none');
}

/** @param {unknown} value */
function isNested(value) {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

const DEEPEST = 6;
const FOLD_FROM = 6; // entries, in the first level: a long list of headers shall not push what matters off the screen

/** NumericDate fields of RFC 7519 §4.1 and OpenID Connect Core §2 and §5.1. */
const TIMES = new Set(['exp', 'iat', 'nbf', 'auth_time', 'updated_at']);
