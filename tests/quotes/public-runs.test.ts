import { expect, test } from 'vitest';
import { readCompact } from '../../infra/calibration/compact.ts';
import { evaluateElsewhere } from '../../infra/calibration/evaluate-elsewhere.ts';

const { score, batch, coveragePercent } = evaluateElsewhere(readCompact());

test('public runs that a fit has not seen are quoted within a third, and mostly within their interval', () => {
  expect(score.rows).toBeGreaterThan(90);
  expect(score.medianErrorPercent).toBeLessThan(34);
  expect(coveragePercent).toBeGreaterThan(70);
});

test('stating the true batch of public runs does not make their quotes worse', () => {
  expect(batch.stated.rows).toBeGreaterThan(30);
  expect(batch.stated.meanErrorPercent).toBeLessThanOrEqual(batch.unstated.meanErrorPercent);
  expect(batch.stated.medianErrorPercent).toBeLessThanOrEqual(batch.unstated.medianErrorPercent);
});
