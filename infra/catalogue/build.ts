/**
 * Builds src/quotes/catalogue/*.json from a folder with accelerators.csv and prices.csv:
 *   npm run catalogue -- <folder>
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildAccelerators } from './accelerators.ts';
import { buildMachines } from './machines.ts';
import { readTable } from './tables.ts';

const target = join(import.meta.dirname, '../../src/quotes/catalogue');

/** JSON with one element of the list a line, so that a new price is a readable diff. */
function withOneLineEach(head: Record<string, unknown>, name: string, items: unknown[]): string {
  const lines = items.map((item) => `    ${JSON.stringify(item)}`).join(',\n');
  const fields = Object.entries(head).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`);
  return `{\n${fields.join('')}  ${JSON.stringify(name)}: [\n${lines}\n  ]\n}\n`;
}

const folder = process.argv[2];
if (folder === undefined) {
  process.stderr.write('usage: npm run catalogue -- <folder with accelerators.csv and prices.csv>\n');
  process.exitCode = 64;
} else {
  const accelerators = buildAccelerators(readTable(folder, 'accelerators.csv'));
  const { machines, leftOut } = buildMachines(readTable(folder, 'prices.csv'));
  const date =
    machines
      .map(({ priceDate }) => priceDate)
      .sort()
      .at(-1) ?? '';
  mkdirSync(target, { recursive: true });
  writeFileSync(join(target, 'accelerators.json'), withOneLineEach({}, 'accelerators', accelerators));
  writeFileSync(join(target, 'offers.json'), withOneLineEach({ provider: 'gcp', date, leftOut }, 'machines', machines));
  process.stdout.write(
    `${accelerators.length} accelerators, ${machines.length} machines, ${leftOut.length} left out, prices of ${date}\n`,
  );
}
