import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readCompact } from '../../infra/calibration/compact.ts';
import { fittedFiles } from '../../infra/calibration/fitted.ts';

const tables = readCompact();

test.each(Object.entries(fittedFiles(tables)))(
  'src/quotes/fitted/%s.json is what `npm run fit` makes of the figures in the repository',
  (name, { head, list, items }) => {
    const generated = JSON.parse(
      readFileSync(new URL(`../../src/quotes/fitted/${name}.json`, import.meta.url), 'utf8'),
    ) as Record<string, unknown>;
    const { date, command, ...content } = generated;
    expect(date).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(command).toBe('npm run fit');
    expect(content).toEqual(JSON.parse(JSON.stringify({ ...head, [list]: items })));
  },
);

test('every figure has a source', () => {
  for (const { name, source } of tables.runs) expect(source, name).toMatch(/\w{4}/);
  for (const { source } of tables.throughput) expect(source).toMatch(/\w{4}/);
  for (const { round, submitter } of tables.benchmarks) expect(`${round} ${submitter}`).toMatch(/^v\d\.\d \S/);
});
