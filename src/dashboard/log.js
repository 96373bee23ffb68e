import { follow, Refusal } from './api.js';
import { el } from './dom.js';
import { exact } from './format.js';

/** @import { LogLine } from '../protocol/job.ts' */

const mostLines = 5000;

/**
 * A job's log, which fills itself while `read` goes on, and stays at its end unless the reader has scrolled away from it.
 *
 * @param {string} jobId
 */
export function openLog(jobId) {
  const lines = el('ol');
  const box = el('div', { class: 'log', role: 'log', 'aria-label': 'Log', 'aria-live': 'polite', tabindex: 0 }, lines);
  const state = el('p', { class: 'hint' }, 'Nothing yet.');
  let last = '';
  let isComplete = false;

  /** @param {LogLine[]} items */
  const append = (items) => {
    const isAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
    lines.append(...items.map(lineOf));
    last = String(items.at(-1)?.seq ?? last);
    while (lines.childElementCount > mostLines) lines.firstElementChild?.remove();
    if (items.length > 0)
      state.textContent = `Live. The last ${mostLines.toLocaleString('en-US')} lines are kept here; all of them are at /v1/jobs/${jobId}/logs.`;
    if (isAtEnd) box.scrollTop = box.scrollHeight;
  };

  const element = el('div', { 'data-own': true }, box, state);
  return {
    /** Into the place that the page has for it. @param {Element} page */
    put: (page) => {
      if (page.contains(element)) return;
      page.querySelector('[data-own]')?.replaceWith(element);
      box.scrollTop = box.scrollHeight;
    },
    /** Goes on behind the last line read. @param {AbortSignal} signal */
    read: async (signal) => {
      if (isComplete) return;
      try {
        await follow(`/v1/jobs/${jobId}/logs`, { after: last, signal, onItems: append });
        if (signal.aborted) return;
        isComplete = true;
        state.textContent = last === '' ? 'The job printed nothing.' : 'The log is complete.';
      } catch (error) {
        if (error instanceof Refusal) state.textContent = error.message;
        else throw error;
      }
    },
  };
}

/** @param {LogLine} line */
function lineOf({ stream, text, at }) {
  return el(
    'li',
    { class: stream, title: exact(at) },
    stream === 'stdout' ? null : el('span', { class: 'stream' }, `${stream} `),
    text,
  );
}
