import { el, figures, section, table } from './dom.js';
import { compute, count, percent, usd } from './format.js';

/** @import { Shares } from '../protocol/share.ts' */

const windows = { '24h': '24 hours', '7d': '7 days', '30d': '30 days', all: 'All time' };

/** @param {string} window */
export const windowName = (window) =>
  window === 'all' ? 'since the beginning' : `last ${windows[/** @type {keyof typeof windows} */ (window)]}`;

/** @param {Shares} shares @param {string} window @param {(window: string) => unknown} choose */
export function holders({ tenants, concentration }, window, choose) {
  const rows = tenants.map(({ tenant, share, shareCap, compute: used, costUsd }) => [
    tenant?.name ?? 'another tenant',
    shareBar(share, shareCap),
    percent(share),
    shareCap === null ? 'none' : percent(shareCap),
    compute(used),
    usd(costUsd),
  ]);
  const columns = [
    { name: 'Tenant', isHeader: true },
    { name: '', class: 'bar-cell' },
    ...['Share', 'Cap', 'Compute', 'Cost'].map((name) => ({ name, class: 'number' })),
  ];
  return section(
    'holders',
    'Who holds the compute',
    el(
      'fieldset',
      { class: 'choice' },
      el('legend', { class: 'unseen' }, 'Window'),
      ...Object.entries(windows).map(([value, name]) =>
        el(
          'label',
          {},
          el('input', {
            type: 'radio',
            name: 'window',
            value,
            checked: value === window,
            onchange: () => void choose(value),
          }),
          name,
        ),
      ),
    ),
    tenants.length === 0
      ? el('p', { class: 'empty' }, 'There is no tenant yet. An operator makes one with POST /v1/tenants.')
      : table(`Share of the compute, ${windowName(window)}`, columns, rows),
    concentrationOf(concentration),
  );
}

/** The cap is a mark on the bar. @param {number} share @param {number | null} cap */
function shareBar(share, cap) {
  const isOver = cap !== null && share > cap;
  return el(
    'div',
    {
      class: `share ${isOver ? 'over' : ''}`,
      'aria-hidden': 'true',
      '--share': `${share * 100}%`,
      '--cap': `${(cap ?? 0) * 100}%`,
    },
    el('i'),
    cap !== null && el('b'),
  );
}

/** @param {Shares['concentration']} concentration */
function concentrationOf({ hhi, effectiveTenants, gini, largestShare }) {
  if (hhi === null || effectiveTenants === null || gini === null || largestShare === null)
    return el('p', { class: 'empty' }, 'Nothing was used in this window, so nobody holds more than another.');
  const spread = gini < 0.2 ? 'nearly even' : gini < 0.5 ? 'uneven' : 'very uneven';
  return figures([
    [
      'Effective tenants',
      count(effectiveTenants),
      el('span', {}, `The compute is as concentrated as if ${count(effectiveTenants)} tenants held equal parts.`),
    ],
    [
      'HHI',
      hhi.toFixed(3),
      el('span', {}, 'The sum of the squared shares: 1 where one tenant holds all, less the more share it.'),
    ],
    ['Gini', gini.toFixed(3), el('span', {}, `From 0, all hold the same, to 1: here the spread is ${spread}.`)],
    [
      'Largest share',
      percent(largestShare),
      el(
        'span',
        {},
        largestShare > 0.5 ? 'One tenant holds more than all others together.' : 'No tenant holds more than half.',
      ),
    ],
  ]);
}
