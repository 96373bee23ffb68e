import { download, get } from './api.js';
import { el, figures, moment, section, table, update } from './dom.js';
import { bytes, duration, usd } from './format.js';
import {
  badge,
  costOf,
  isEnded,
  progressOf,
  quotedOption,
  secondsRun,
  tookOf,
  verdict,
  whyWaiting,
} from './job-parts.js';
import { openLog } from './log.js';

/** @import { Artifact, Job, JobEvent } from '../protocol/job.ts' */

/** A job's page, read and shown again with each call; its log reads itself. @param {Element} main @param {AbortSignal} signal @param {string} jobId */
export function openJobPage(main, signal, jobId) {
  const log = openLog(jobId);
  let isReading = false;
  let isFinal = false;
  update(main, [el('p', {}, el('a', { href: '#/' }, '← Overview')), el('p', { class: 'hint' }, 'Loading…')]);

  return async () => {
    if (!isReading) {
      isReading = true;
      void log.read(signal).finally(() => (isReading = false));
    }
    if (isFinal) return;
    const path = `/v1/jobs/${encodeURIComponent(jobId)}`;
    const [job, events, artifacts] = await Promise.all([
      /** @type {Promise<Job>} */ (get(path, signal)),
      /** @type {Promise<{ items: JobEvent[] }>} */ (get(`${path}/events?limit=1000`, signal)),
      /** @type {Promise<{ items: Artifact[] }>} */ (get(`${path}/artifacts?limit=1000`, signal)),
    ]);
    isFinal = isEnded(job);
    update(main, jobPage(job, events.items, artifacts.items));
    log.put(main);
  };
}

/** Its parts stand at the same place in each state, so that none is made anew. @param {Job} job @param {JobEvent[]} events @param {Artifact[]} artifacts */
function jobPage(job, events, artifacts) {
  const offer = job.attempts.at(-1)?.offer;
  return [
    el('p', {}, el('a', { href: '#/' }, '← Overview')),
    el('h1', {}, job.name, ' ', badge(job.state)),
    el('p', { class: 'hint' }, el('code', {}, job.id), ' · submitted ', moment(job.createdAt)),
    el('p', { class: 'message' }, job.message),
    figures([
      [isEnded(job) ? 'Took' : 'Running for', tookOf(job)],
      ['Cost', costOf(job)],
      [
        'Machine',
        offer === undefined ? 'none yet' : `${offer.accelerators.count * offer.nodes} × ${offer.accelerators.kind}`,
        offer && el('span', {}, `${offer.provider}, ${offer.region}, ${offer.market}`),
      ],
      job.state === 'running' ? ['Progress', progressOf(job)] : ['Attempts', String(job.attempts.length)],
    ]),
    job.waiting === undefined
      ? el('div')
      : section(
          'waiting',
          'Why it waits',
          el('p', {}, 'Expected start: ', moment(job.waiting.eta.p50)),
          whyWaiting(job.waiting.blockers),
        ),
    el('div', { class: 'columns' }, timeline(events), el('div', {}, againstQuote(job), artifactList(job, artifacts))),
    section('log', 'Log', el('div', { 'data-own': true })),
    attemptList(job),
  ];
}

/** @param {JobEvent[]} events */
function timeline(events) {
  return section(
    'timeline',
    'Timeline',
    el(
      'ol',
      { class: 'timeline' },
      ...events.map(({ at, type, to, message }) =>
        el(
          'li',
          { class: to ?? 'detail' },
          el('b', {}, to ?? type),
          ' ',
          moment(at),
          el('span', { class: 'hint' }, message),
        ),
      ),
    ),
  );
}

/** @param {Job} job */
function againstQuote(job) {
  const option = quotedOption(job);
  if (option === undefined)
    return section('quote', 'Quote against actual', el('p', { class: 'empty' }, 'This job was not quoted.'));
  const took = secondsRun(job);
  const spentUsd = job.cost.finalUsd ?? job.cost.accruedUsd;
  /** @param {string} name @param {(value: number) => string} show @param {{ p10: number, p50: number, p90: number }} range @param {number | undefined} actual */
  const row = (name, show, range, actual) => [
    name,
    ...[range.p10, range.p50, range.p90].map(show),
    actual === undefined ? '–' : show(actual),
    actual === undefined ? 'not started' : verdict(actual, range, isEnded(job)),
  ];
  const columns = [
    { name: 'What', isHeader: true },
    ...['p10', 'p50', 'p90', 'Actual'].map((name) => ({ name, class: 'number' })),
    { name: 'Verdict' },
  ];
  return section(
    'quote',
    'Quote against actual',
    table('In eight of ten cases it should lie between p10 and p90', columns, [
      row('Duration', duration, option.durationSeconds, took),
      row('Cost', usd, option.costUsd, took === undefined ? undefined : spentUsd),
    ]),
  );
}

/** @param {Job} job @param {Artifact[]} artifacts */
function artifactList(job, artifacts) {
  const note = el('p', { class: 'error', role: 'alert' });
  const rows = artifacts.map(({ path, sizeBytes, createdAt }) => [
    el('button', { type: 'button', class: 'link', onclick: () => void open(job.id, path, note) }, path),
    bytes(sizeBytes),
    moment(createdAt),
  ]);
  const columns = [
    { name: 'Path', isHeader: true },
    { name: 'Size', class: 'number' },
    { name: 'Made', class: 'number' },
  ];
  const empty = isEnded(job)
    ? 'The job kept no files. What its spec names under outputs is kept.'
    : 'Files appear here when an attempt has ended.';
  return section(
    'artifacts',
    'Artifacts',
    rows.length === 0 ? el('p', { class: 'empty' }, empty) : table('Files that the job kept', columns, rows),
    note,
  );
}

/** @param {string} jobId @param {string} path @param {HTMLElement} note */
async function open(jobId, path, note) {
  const address = `/v1/jobs/${jobId}/artifacts/${path.split('/').map(encodeURIComponent).join('/')}`;
  try {
    await download(address);
    note.textContent = '';
  } catch (error) {
    // A bucket elsewhere answers to no page but its own; a client that is no browser may still have the file.
    note.textContent =
      error instanceof TypeError
        ? `The browser may not read this bucket. Try: curl -LOJ -H "Authorization: Bearer $KEY" ${location.origin}${address}`
        : String(error instanceof Error ? error.message : error);
  }
}

/** @param {Job} job */
function attemptList({ attempts }) {
  if (attempts.length === 0) return null;
  const rows = attempts.map(
    ({ number, state, reason, message, exitCode, costUsd, startedAt, finishedAt, instance }) => [
      String(number),
      badge(state),
      message ?? reason ?? '–',
      exitCode === null ? '–' : String(exitCode),
      instance ?? '–',
      moment(startedAt),
      moment(finishedAt),
      usd(costUsd),
    ],
  );
  const columns = [
    { name: 'Attempt', isHeader: true },
    { name: 'State' },
    { name: 'Reason', class: 'wide' },
    { name: 'Exit code', class: 'number' },
    { name: 'Instance' },
    { name: 'Started' },
    { name: 'Ended' },
    { name: 'Cost', class: 'number' },
  ];
  return section('attempts', 'Attempts', table('Each machine that the job had', columns, rows));
}
