/**
 * How wrong quotes are, on public figures that the fits had not seen: `npm run bench:quotes [-- --json]`. It writes
 * docs/quote-accuracy.md with its picture, and src/quotes/fitted/intervals.json, from which unseen jobs get their intervals.
 * It computes for some minutes.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCompact } from '../../infra/calibration/compact.ts';
import { evaluateNew, evaluatePilot, evaluateSeen } from '../../infra/calibration/evaluate-classes.ts';
import { evaluateElsewhere } from '../../infra/calibration/evaluate-elsewhere.ts';
import { evaluateRuns } from '../../infra/calibration/evaluate-runs.ts';
import { evaluateSteps } from '../../infra/calibration/evaluate-steps.ts';
import { evaluateTerms, nestedMedianError } from '../../infra/calibration/evaluate-terms.ts';
import { drawRuns } from '../../infra/calibration/picture.ts';
import { writeReport } from '../../infra/calibration/report.ts';
import { finish } from './summary.ts';

const root = join(import.meta.dirname, '../..');
const tables = readCompact();
const date = new Date().toISOString().slice(0, 10);

const runs = evaluateRuns(tables);
const terms = evaluateTerms(tables);
const nestedErrorPercent = nestedMedianError(tables);
const { wellKnown, other } = runs.strata;
const ofRuns = {
  wellKnown: Number(Math.log(wellKnown.medianHalfWidthFactor).toFixed(4)),
  other: Number(Math.log(other.medianHalfWidthFactor).toFixed(4)),
};
const elsewhere = evaluateElsewhere(tables, ofRuns);
const seen = evaluateSeen(tables);
const unseen = evaluateNew(tables);
const pilot = evaluatePilot(tables);
const steps = evaluateSteps(tables);

const intervals = {
  date,
  command: 'npm run bench:quotes',
  runs: ofRuns,
  classes: { seen: seen.interval.multiple, new: unseen.interval.multiple },
  pilot: { halfWidth90: pilot.consistent.interval.multiple, overheads: pilot.overheads },
};
writeFileSync(join(root, 'src/quotes/fitted/intervals.json'), `${JSON.stringify(intervals, null, 2)}\n`);
writeFileSync(
  join(root, 'docs/quote-accuracy.md'),
  writeReport({ date, runs, terms, nestedErrorPercent, elsewhere, seen, unseen, pilot, steps }),
);
writeFileSync(join(root, 'docs/images/quote-accuracy.svg'), drawRuns(runs.outcomes));

const medianOf = (scores: Record<string, { medianErrorPercent: number }>) => scores['weir']?.medianErrorPercent ?? NaN;
finish({
  runs: { scores: runs.scores, interval: runs.interval, strata: runs.strata, spread: runs.spread },
  terms,
  elsewhere,
  classSeen: { scores: seen.scores, interval: seen.interval },
  classNew: { scores: unseen.scores, interval: unseen.interval },
  pilot,
  steps,
  summary: {
    runsMedianErrorPercent: medianOf(runs.scores),
    runsNestedMedianErrorPercent: nestedErrorPercent,
    runsLargeLanguageMedianErrorPercent: runs.largeLanguage.medianErrorPercent,
    elsewhereMedianErrorPercent: elsewhere.score.medianErrorPercent,
    runsHalfWidthFactor80: runs.interval.medianHalfWidthFactor,
    runsCoverage80Percent: runs.interval.coveragePercent,
    constantMfuMedianErrorPercent: runs.scores['constant MFU .30']?.medianErrorPercent ?? NaN,
    linearLawMedianErrorPercent: runs.scores['linear law C = k·S']?.medianErrorPercent ?? NaN,
    classSeenMedianErrorPercent: medianOf(seen.scores),
    classSeenHalfWidthFactor80: seen.interval.medianHalfWidthFactor,
    classSeenCoverage80Percent: seen.interval.coveragePercent,
    classNewMedianErrorPercent: medianOf(unseen.scores),
    pilotMedianErrorPercent: medianOf(pilot.consistent.scores),
    pilotHalfWidthFactor90: pilot.consistent.interval.medianHalfWidthFactor,
    pilotAllClassesMedianErrorPercent: medianOf(pilot.scores),
    stepsSingleNodeMeanErrorPercent: steps.singleNode['weir']?.meanErrorPercent ?? NaN,
    stepsMultiNodeMeanErrorPercent: steps.multiNode['weir']?.meanErrorPercent ?? NaN,
  },
});
