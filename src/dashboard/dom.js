import { exact, relative } from './format.js';

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * An element. What comes from the service enters as text or as an attribute's value, never as markup.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number | boolean | ((event: Event) => void)>} attributes functions are listeners, `--names` CSS variables
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') Object.assign(element, { [name]: value });
    // Through the object model: the page's policy forbids style attributes.
    else if (name.startsWith('--')) element.style.setProperty(name, String(value));
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A moment: relative, with the exact one on hover. @param {string | null} at */
export function moment(at) {
  return at === null ? '–' : el('time', { datetime: at, title: exact(at) }, relative(at, Date.now()));
}

/**
 * @typedef {{ name: string, class?: string, isHeader?: boolean }} Column
 * @typedef {Child | Child[]} Cell
 */

/**
 * On a phone each row becomes a card; then only the roles still say that this is a table.
 *
 * @param {string} caption
 * @param {Column[]} columns
 * @param {Cell[][]} rows
 */
export function table(caption, columns, rows) {
  const head = columns.map((column) =>
    el('th', { scope: 'col', role: 'columnheader', class: column.class ?? '' }, column.name),
  );
  return el(
    'table',
    { role: 'table' },
    el('caption', {}, caption),
    el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, ...head)),
    el(
      'tbody',
      { role: 'rowgroup' },
      ...rows.map((row) => el('tr', { role: 'row' }, ...row.map((cell, at) => tableCell(columns[at], cell)))),
    ),
  );
}

/** @param {Column | undefined} column @param {Cell} cell */
function tableCell(column, cell) {
  const shared = { class: column?.class ?? '', 'data-label': column?.name ?? '' };
  const children = [cell].flat();
  return column?.isHeader === true
    ? el('th', { scope: 'row', role: 'rowheader', ...shared }, ...children)
    : el('td', { role: 'cell', ...shared }, ...children);
}

/** A section with its heading. @param {string} id @param {string} title @param {...Child} children */
export function section(id, title, ...children) {
  return el('section', { class: 'card', 'aria-labelledby': id }, el('h2', { id }, title), ...children);
}

/** @param {[term: string, value: Child, explanation?: Child][]} entries */
export function figures(entries) {
  return el(
    'dl',
    { class: 'figures' },
    ...entries.map(([term, value, explanation]) =>
      el('div', {}, el('dt', {}, term), el('dd', {}, value), explanation && el('dd', { class: 'hint' }, explanation)),
    ),
  );
}

/** Makes an element's children these, and keeps what is the same: focus, selection and scrolling stay. @param {Element} parent @param {Child[]} children */
export function update(parent, children) {
  const fresh = el('div', {}, ...children);
  syncChildren(parent, fresh);
}

/** @param {Element} old @param {Element} fresh */
function syncChildren(old, fresh) {
  const wanted = [...fresh.childNodes];
  for (const [at, child] of wanted.entries()) {
    const present = old.childNodes[at];
    if (present === undefined) old.append(child);
    else syncNode(present, child);
  }
  while (old.childNodes.length > wanted.length) old.lastChild?.remove();
}

/** @param {ChildNode} old @param {ChildNode} fresh */
function syncNode(old, fresh) {
  if (old instanceof Text && fresh instanceof Text) {
    if (old.data !== fresh.data) old.data = fresh.data;
  } else if (
    old instanceof HTMLElement &&
    fresh instanceof HTMLElement &&
    old.tagName === fresh.tagName &&
    old.id === fresh.id
  ) {
    syncAttributes(old, fresh);
    // What fills itself, such as the log, is left alone.
    if (!fresh.hasAttribute('data-own')) syncChildren(old, fresh);
  } else old.replaceWith(fresh);
}

/** @param {HTMLElement} old @param {HTMLElement} fresh */
function syncAttributes(old, fresh) {
  for (const name of old.getAttributeNames())
    if (name !== 'style' && !fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes)
    if (name !== 'style' && old.getAttribute(name) !== value) old.setAttribute(name, value);
  if (old.style.cssText !== fresh.style.cssText) old.style.cssText = fresh.style.cssText;
  old.onclick = fresh.onclick;
  old.onchange = fresh.onchange;
}
