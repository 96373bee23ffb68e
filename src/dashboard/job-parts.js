import { el, moment } from './dom.js';
import { count, duration, percent, usd, usdRange } from './format.js';

/** @import { Job } from '../protocol/job.ts' */
/** @import { QuoteOption } from '../protocol/quote.ts' */

export const endStates = ['succeeded', 'failed', 'cancelled'];

/** @param {Job} job */
export const isEnded = ({ state }) => endStates.includes(state);

/** The state in words, its colour only besides. @param {string} state */
export const badge = (state) => el('span', { class: `badge ${state}` }, state);

/** @param {Job} job */
export const jobLink = ({ id, name }) => el('a', { href: `#/jobs/${id}` }, name);

/** The option of the quote that the job runs on; before it has a machine, the recommended one. @param {Job} job @returns {QuoteOption | undefined} */
export function quotedOption({ quote, attempts }) {
  const offerId = attempts.at(-1)?.offer.id;
  return quote?.options.find(({ id, offer }) =>
    offerId === undefined ? id === quote.recommended : offer.id === offerId,
  );
}

/** How long it has run, or ran. @param {Job} job @returns {number | undefined} */
export function secondsRun({ startedAt, finishedAt }) {
  if (startedAt === null) return undefined;
  return (Date.parse(finishedAt ?? new Date().toISOString()) - Date.parse(startedAt)) / 1000;
}

/** @param {Job} job */
export function progressOf({ progress, name }) {
  if (progress === undefined) return el('p', { class: 'hint' }, 'Not running yet');
  const { done, total, unit, eta } = progress;
  const left = eta.p50 === null ? null : el('span', { class: 'hint' }, 'ends ', moment(eta.p50));
  if (done === null || total === null || total === 0)
    return el(
      'div',
      {},
      el('p', { class: 'hint' }, done === null ? 'The job does not say how far it is' : `${count(done)} ${unit ?? ''}`),
      left,
    );
  const part = Math.min(1, done / total);
  return el(
    'div',
    { class: 'progress' },
    el('progress', { value: part, max: 1, 'aria-label': `Progress of ${name}` }, percent(part)),
    el(
      'span',
      {},
      `${Math.floor(part * 100)} %`,
      el('span', { class: 'hint' }, ` · ${count(done)} of ${count(total)} ${unit ?? ''}`),
    ),
    left,
  );
}

/** What it has cost, on a line from nothing to beyond the quote's p90, p10 to p90 shaded. @param {Job} job */
export function costOf(job) {
  const actualUsd = job.cost.finalUsd ?? job.cost.accruedUsd;
  const range = quotedOption(job)?.costUsd;
  if (range === undefined) return el('span', {}, usd(actualUsd));
  const whole = Math.max(range.p90 * 1.15, actualUsd * 1.05) || 1;
  const [low, high, at] = [range.p10, range.p90, actualUsd].map((value) => `${(value / whole) * 100}%`);
  return el(
    'div',
    { class: 'cost' },
    el('span', {}, usd(actualUsd), el('span', { class: 'hint' }, ` of ${usdRange(range)}`)),
    el(
      'div',
      { class: 'range', 'aria-hidden': 'true', '--low': low ?? 0, '--high': high ?? 0, '--at': at ?? 0 },
      el('i'),
      el('b'),
    ),
  );
}

/** @param {number} actual @param {{ p10: number, p90: number }} range @param {boolean} isFinal */
export function verdict(actual, { p10, p90 }, isFinal) {
  if (actual > p90) return 'above the range';
  if (actual >= p10) return 'inside the range';
  return isFinal ? 'below the range' : 'still below the range';
}

/** @param {Job} job */
export function tookOf(job) {
  const seconds = secondsRun(job);
  return seconds === undefined ? '–' : duration(seconds);
}

/** @param {Job} job */
export function reasonOf({ message, reason }) {
  return el('span', {}, message ?? reason ?? '');
}

/** @param {NonNullable<Job['waiting']>['blockers']} blockers */
export function whyWaiting(blockers) {
  if (blockers.length === 0) return el('span', { class: 'hint' }, 'Its turn comes with the next look at the queue.');
  return el(
    'ul',
    { class: 'blockers' },
    ...blockers.map(({ message, unblocks }) =>
      el('li', {}, ...prose(message), ' ', el('span', { class: 'hint' }, 'Until: ', ...prose(unblocks))),
    ),
  );
}

/** A sentence of the service, whose jobs become links and whose times relative ones. @param {string} text */
function prose(text) {
  return text.split(/(job_[0-9a-z]{26}|\d{4}-\d\d-\d\dT[\d:.]+Z)/).map((part, at) => {
    if (at % 2 === 0) return part;
    return part.startsWith('job_') ? el('a', { href: `#/jobs/${part}` }, `job …${part.slice(-6)}`) : moment(part);
  });
}
