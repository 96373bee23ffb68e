/**
 * Fits what quotes rest on to public figures, and writes src/quotes/fitted/*.json:
 *   npm run fit                    from the repository's own copy of the figures, infra/calibration/data
 *   npm run fit -- <folder>        from a folder with training_runs.csv, throughput.csv, mlperf_runs.csv and accelerators.csv,
 *                                  which also renews that copy, except for elsewhere.json, which is kept by hand
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compactTables, readCompact, writeCompact } from './compact.ts';
import { fittedFiles } from './fitted.ts';

const target = join(import.meta.dirname, '../../src/quotes/fitted');

const folder = process.argv[2];
if (folder !== undefined) writeCompact(compactTables(folder));
mkdirSync(target, { recursive: true });
const date = new Date().toISOString().slice(0, 10);
for (const [name, content] of Object.entries(fittedFiles(readCompact()))) {
  const head = { ...content.head, date, command: 'npm run fit' };
  const fields = Object.entries(head).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`);
  const lines = content.items.map((item) => `    ${JSON.stringify(item)}`).join(',\n');
  writeFileSync(join(target, `${name}.json`), `{\n${fields.join('')}  "${content.list}": [\n${lines}\n  ]\n}\n`);
  process.stdout.write(`${name}: ${content.items.length} ${content.list}\n`);
}
