import type { Ranged } from './score.ts';

const size = 560;
const margin = 56;
const colours: [RegExp, string, string][] = [
  [/^A100/, '#2563eb', 'A100'],
  [/^H/, '#dc2626', 'H100, H800'],
  [/^V100/, '#16a34a', 'V100'],
  [/^TPU/, '#9333ea', 'TPU'],
];

/** Predicted against actual accelerator-hours of whole runs, both in logarithms; on the line a quote is right. */
export function drawRuns(runs: readonly (Ranged & { accelerator: string })[]): string {
  const decades = [0, 1, 2, 3, 4, 5, 6, 7];
  const scale = (hours: number): number => (Math.log10(hours) / 7) * (size - 2 * margin);
  const x = (hours: number): string => (margin + scale(hours)).toFixed(1);
  const y = (hours: number): string => (size - margin - scale(hours)).toFixed(1);
  const grid = decades.map(
    (decade) =>
      `<path d="M${x(10 ** decade)} ${y(1)}V${y(1e7)}M${x(1)} ${y(10 ** decade)}H${x(1e7)}" stroke="#e5e7eb"/>` +
      `<text x="${x(10 ** decade)}" y="${size - margin + 18}" text-anchor="middle">10${superscript(decade)}</text>` +
      `<text x="${margin - 8}" y="${Number(y(10 ** decade)) + 4}" text-anchor="end">10${superscript(decade)}</text>`,
  );
  const points = runs.map(({ name, accelerator, predicted, actual }) => {
    const colour = colours.find(([pattern]) => pattern.test(accelerator))?.[1] ?? '#6b7280';
    const title = `${name}: ${Math.round(predicted)} h predicted, ${Math.round(actual)} h taken`;
    return `<circle cx="${x(actual)}" cy="${y(predicted)}" r="4" fill="${colour}" fill-opacity=".75"><title>${escaped(title)}</title></circle>`;
  });
  const legend = colours.map(
    ([, colour, name], at) =>
      `<circle cx="${margin + 16}" cy="${margin + 14 + 20 * at}" r="4" fill="${colour}"/><text x="${margin + 28}" y="${margin + 18 + 20 * at}">${name}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" font-family="system-ui, sans-serif" font-size="12" fill="#111827">
<title>Predicted against actual accelerator-hours of ${runs.length} public training runs</title>
<rect width="100%" height="100%" fill="#fff"/>
${grid.join('\n')}
<path d="M${x(1)} ${y(1)}L${x(1e7)} ${y(1e7)}" stroke="#111827"/>
<path d="M${x(1)} ${y(2)}L${x(5e6)} ${y(1e7)}M${x(2)} ${y(1)}L${x(1e7)} ${y(5e6)}" stroke="#9ca3af" stroke-dasharray="4 4"/>
${points.join('\n')}
${legend.join('\n')}
<text x="${size / 2}" y="${size - 10}" text-anchor="middle">accelerator-hours taken (dashed: half and twice)</text>
<text x="16" y="${size / 2}" text-anchor="middle" transform="rotate(-90 16 ${size / 2})">accelerator-hours predicted, the run unseen</text>
</svg>
`;
}

const superscript = (digit: number): string => '⁰¹²³⁴⁵⁶⁷⁸⁹'[digit] ?? '';

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
