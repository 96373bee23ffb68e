import { get } from './api.js';
import { el, figures, moment, section, table, update } from './dom.js';
import { compute, usd } from './format.js';
import { holders, windowName } from './holders.js';
import { badge, costOf, jobLink, progressOf, reasonOf, tookOf, whyWaiting } from './job-parts.js';

/** @import { Job } from '../protocol/job.ts' */
/** @import { Shares } from '../protocol/share.ts' */
/** @typedef {Map<string, string>} Names of tenants, by id */

const endedShown = 10;
const endedEveryMs = 10_000;

/** The overview, read and shown again with each call. @param {Element} main @param {AbortSignal} signal */
export function openOverview(main, signal) {
  let window = '30d';
  let ended = /** @type {Job[]} */ ([]);
  let endedAtMs = -Infinity;
  let activeIds = '';
  update(main, [el('h1', {}, 'Overview'), el('p', { class: 'hint' }, 'Loading…')]);

  const refresh = async () => {
    const asked = window;
    const shares = /** @type {Promise<Shares>} */ (get(`/v1/shares?window=${asked}`, signal));
    const [queued, active] = await Promise.all([
      listJobs(['queued'], 200, signal),
      listJobs(['provisioning', 'running', 'stopping'], 200, signal),
    ]);
    const ids = [...queued, ...active]
      .map(({ id }) => id)
      .sort()
      .join();
    // What has ended changes when a job leaves the others; the rest of the time it is asked for less often.
    if (ids !== activeIds || performance.now() - endedAtMs > endedEveryMs) {
      ended = await listJobs(['succeeded', 'failed', 'cancelled'], endedShown, signal);
      [activeIds, endedAtMs] = [ids, performance.now()];
    }
    const seen = await shares;
    if (asked !== window) return;
    const choose = (/** @type {string} */ chosen) => {
      window = chosen;
      return refresh().catch(() => undefined);
    };
    update(main, overview({ shares: seen, queued, active, ended, window, choose }));
  };
  return refresh;
}

/** @param {string[]} states @param {number} limit @param {AbortSignal} signal @returns {Promise<Job[]>} */
async function listJobs(states, limit, signal) {
  const lists = await Promise.all(
    states.map(
      (state) => /** @type {Promise<{ items: Job[] }>} */ (get(`/v1/jobs?state=${state}&limit=${limit}`, signal)),
    ),
  );
  return lists.flatMap(({ items }) => items);
}

/** @param {{ shares: Shares, queued: Job[], active: Job[], ended: Job[], window: string, choose: (window: string) => unknown }} seen */
function overview({ shares, queued, active, ended, window, choose }) {
  const names = new Map(shares.tenants.flatMap(({ tenant }) => (tenant === null ? [] : [[tenant.id, tenant.name]])));
  return [
    el('h1', {}, names.size === 1 ? `Overview of ${[...names.values()][0]}` : 'Overview'),
    figures([
      [
        'Running',
        String(active.length),
        el('span', {}, active.length === 1 ? 'job has a machine' : 'jobs have machines'),
      ],
      [
        'Waiting',
        String(queued.length),
        el('span', {}, queued.length === 1 ? 'job in the queue' : 'jobs in the queue'),
      ],
      ['Spent', usd(shares.total.costUsd), el('span', {}, `by the whole pool, ${windowName(window)}`)],
      ['Computed', compute(shares.total.compute), el('span', {}, `at peak rate, ${windowName(window)}`)],
    ]),
    holders(shares, window, choose),
    running(active.toSorted(byStart), names),
    queue(queued.toSorted(byPosition), names),
    recent(
      ended
        .toSorted((left, right) => (right.finishedAt ?? '').localeCompare(left.finishedAt ?? ''))
        .slice(0, endedShown),
      names,
    ),
  ];
}

/** @param {Job} left @param {Job} right */
const byPosition = (left, right) =>
  (left.waiting?.position ?? Infinity) - (right.waiting?.position ?? Infinity) ||
  left.createdAt.localeCompare(right.createdAt);
/** @param {Job} left @param {Job} right */
const byStart = (left, right) => (left.startedAt ?? '~').localeCompare(right.startedAt ?? '~');

/** @param {Job[]} jobs @param {Names} names */
function queue(jobs, names) {
  const rows = jobs.map((job) => {
    const { position = null, eta, blockers = [] } = job.waiting ?? {};
    return [
      position === null ? '–' : String(position),
      jobLink(job),
      tenantOf(job, names),
      moment(eta?.p50 ?? null),
      whyWaiting(blockers),
    ];
  });
  const columns = [
    { name: 'Position', class: 'number' },
    { name: 'Job', isHeader: true },
    { name: 'Tenant' },
    { name: 'Expected start' },
    { name: 'Why it waits', class: 'wide' },
  ];
  return section(
    'queue',
    'Queue',
    rows.length === 0
      ? el('p', { class: 'empty' }, 'Nothing waits: every job has a machine.')
      : table('Jobs that wait, in the order in which they may start', columns, rows),
  );
}

/** @param {Job[]} jobs @param {Names} names */
function running(jobs, names) {
  const rows = jobs.map((job) => [jobLink(job), tenantOf(job, names), badge(job.state), progressOf(job), costOf(job)]);
  const columns = [
    { name: 'Job', isHeader: true },
    { name: 'Tenant' },
    { name: 'State' },
    { name: 'Progress', class: 'wide' },
    { name: 'Cost in the quote’s range', class: 'wide' },
  ];
  return section(
    'running',
    'Running',
    rows.length === 0
      ? el('p', { class: 'empty' }, 'No job runs now.')
      : table('Jobs that have a machine', columns, rows),
  );
}

/** @param {Job[]} jobs @param {Names} names */
function recent(jobs, names) {
  const rows = jobs.map((job) => [
    jobLink(job),
    tenantOf(job, names),
    badge(job.state),
    reasonOf(job),
    tookOf(job),
    usd(job.cost.finalUsd ?? 0),
    moment(job.finishedAt),
  ]);
  const columns = [
    { name: 'Job', isHeader: true },
    { name: 'Tenant' },
    { name: 'State' },
    { name: 'Reason', class: 'wide' },
    { name: 'Took', class: 'number' },
    { name: 'Cost', class: 'number' },
    { name: 'Ended', class: 'number' },
  ];
  return section(
    'recent',
    'Recently ended',
    rows.length === 0
      ? el('p', { class: 'empty' }, 'No job has ended yet. Submit one with POST /v1/jobs, or see the API reference.')
      : table(`The last ${endedShown} jobs that ended`, columns, rows),
  );
}

/** @param {Job} job @param {Names} names */
function tenantOf({ tenant }, names) {
  return names.get(tenant) ?? tenant;
}
