// A quote as `weir quote --json` prints it, on standard input, as a table in Markdown: the recommended option and its rivals. A problem
// in its place is told with its faults.
import { text } from 'node:stream/consumers';

const shown = 5;

const quote = JSON.parse(await text(process.stdin));
const { options = [] } = quote;
const feasible = options.filter((option) => option.feasible);
const recommended = options.find(({ id }) => id === quote.recommended);
const rivals = feasible.filter((option) => option !== recommended && option.pareto !== false);

console.log(`### ${process.argv[2]}\n`);
if (quote.options === undefined) {
  console.log(`Not quoted: ${quote.detail}\n`);
  for (const { pointer, detail } of quote.errors ?? []) console.log(`- \`${pointer}\`: ${detail}`);
} else if (feasible.length === 0) {
  console.log(`Nothing can run it: ${options[0]?.reasons.join(' ') ?? 'there is no such machine.'}\n`);
} else {
  console.log('| machine | where | p50 time (p10 – p90) | p50 cost (p10 – p90) |\n|---|---|---|---|');
  for (const option of [recommended, ...rivals].filter(Boolean).slice(0, shown)) console.log(rowOf(option));
  const { basis, mostTelling } = quote.workload;
  console.log(`\nFrom ${basis}. ${mostTelling ? `Stating \`${mostTelling.field}\` would narrow it most.` : ''}\n`);
}

function rowOf(option) {
  const { accelerators, nodes, machineType, provider, region, market } = option.offer;
  const machine = `${accelerators.count * nodes} × ${accelerators.kind}, ${nodes > 1 ? `${nodes} × ` : ''}${machineType}`;
  const mark = option === recommended ? '**' : '';
  const time = range(option.durationSeconds, duration);
  const cost = range(option.costUsd, dollars);
  return `| ${mark}${machine}${mark} | ${provider}, ${region}, ${market} | ${time} | ${cost} |`;
}

function range({ p10, p50, p90 }, format) {
  return `${format(p50)} (${format(p10)} – ${format(p90)})`;
}

function duration(seconds) {
  const [size, unit] = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ].find(([each]) => seconds >= each) ?? [1, 's'];
  return `${Number((seconds / size).toPrecision(2))} ${unit}`;
}

function dollars(usd) {
  return usd >= 0.01 ? `$${usd.toFixed(2)}` : `$${Number(usd.toPrecision(2))}`;
}
