import type { ClassReport, PilotReport } from './evaluate-classes.ts';
import type { RunReport } from './evaluate-runs.ts';
import type { StepReport } from './evaluate-steps.ts';
import type { Score } from './score.ts';

export type Report = {
  date: string;
  runs: RunReport;
  seen: ClassReport;
  unseen: ClassReport;
  pilot: PilotReport;
  steps: StepReport;
};

/** docs/quote-accuracy.md, from what was measured. */
export function writeReport(report: Report): string {
  const sections = [
    ofAims(report),
    ofRuns(report.runs),
    ofClasses(report),
    ofPilot(report.pilot),
    ofSteps(report.steps),
  ];
  return sections.join('\n');
}

function ofAims({ date, runs, seen, unseen, pilot, steps }: Report): string {
  return `# How wrong quotes are

Measured on ${date} by \`npm run bench:quotes\` from the figures in \`infra/calibration/data\` (each with its source); \`npm run fit\` makes the coefficients from the same figures. No row is predicted by a fit that saw its group, its submitter or its source. Errors are |predicted ÷ actual - 1|. Intervals are split-conformal: the multiple comes from rows of other origins. Which terms the models have was chosen with such figures in view, from a handful of variants, so a little of that choice is in them; what has never been seen may come out somewhat worse.

## What was aimed at, and what came out

| what the quote knows | aim | measured |
|---|---|---|
| spec only, whole public runs | median under 20 %; 80 % interval within ×1.55, coverage 76 to 84 % | ${verdict(runs.scores, 20)}; ×${runs.interval.medianHalfWidthFactor} (large language models on well-known accelerators ×${runs.strata.wellKnown.medianHalfWidthFactor}), coverage ${runs.interval.coveragePercent} % |
| class and accelerator seen before | median under 5 %; 80 % interval within ×1.2 | ${verdict(seen.scores, 5)}; ×${seen.interval.medianHalfWidthFactor}, coverage ${seen.interval.coveragePercent} % |
| class seen, accelerator new | median under 13 % | ${verdict(unseen.scores, 13)} |
| pilot | median under 1.5 %; 90 % interval within ×1.08 | ${verdict(pilot.consistent.scores, 1.5)} without Stable Diffusion (all classes: ${pilot.scores['weir']?.medianErrorPercent} %); ×${pilot.consistent.interval.medianHalfWidthFactor} (×${pilot.interval.medianHalfWidthFactor}) |
| step time, one node / many | mean under 6.5 / 10 % | ${steps.singleNode['weir']?.meanErrorPercent} / ${steps.multiNode['weir']?.meanErrorPercent} % |
`;
}

function ofRuns(runs: RunReport): string {
  const { wellKnown, other } = runs.strata;
  return `## Whole public runs, nothing known but the spec
${runs.outcomes.length} runs, leave one group out (a team or a family of models), with every steady rate that the same hands published. Accelerator-hours.

${table(runs.scores)}

The 80 % interval is ×${wellKnown.medianHalfWidthFactor} for language models of 2 billion parameters or more on A100, TPU v3 and v4 (${wellKnown.rows} runs, coverage ${wellKnown.coveragePercent} %), ×${other.medianHalfWidthFactor} for the rest (${other.rows} runs, ${other.coveragePercent} %).

![Predicted against actual accelerator-hours](images/quote-accuracy.svg)

The aim of 20 % is not reached, and it is not the arithmetic: of the same kind of model on the same accelerator one team kept 13 % of the peak (YaLM-100B) and another 49 % (Falcon-180B), a spread that no field of a spec tells. Many durations are whole weeks by the calendar, idle time included. Terms that lower the error on these rows by a few points do not survive leaving a group out; what narrows it is a first finished job of the same tenant, or a pilot. The shipped coefficients also take in the medians of a larger table, which lacks no row of these; so they are not measured here, and the figures above are of fits without them.
`;
}

function ofClasses({ seen, unseen }: Report): string {
  return `## MLPerf: the class is known
Leave one submitter out; submitters with few results are left out together. The accelerator has run the class at another submitter's.

${table(seen.scores)}

80 % interval: ×${seen.interval.medianHalfWidthFactor} in the median, coverage ${seen.interval.coveragePercent} %.

## MLPerf: the class is known, the accelerator new to it
Leave out all results of a class on an accelerator.

${table(unseen.scores)}

80 % interval: ×${unseen.interval.medianHalfWidthFactor} in the median, coverage ${unseen.interval.coveragePercent} %.
`;
}

function ofPilot(pilot: PilotReport): string {
  return `## A pilot of 50 to 100 steps
Samples ÷ the rate that the run itself logged, times what other submitters' runs of the class took beyond their steps (evaluation, start-up). The samples are known, so this is a bound: a real pilot measures its rate over fewer steps. The logged rate of Stable Diffusion contradicts its own duration (samples ÷ rate is a quarter more than the whole run took), so it is shown apart.

${table(pilot.consistent.scores)}

90 % interval: ×${pilot.consistent.interval.medianHalfWidthFactor}, coverage ${pilot.consistent.interval.coveragePercent} %. With Stable Diffusion:

${table(pilot.scores)}

90 % interval: ×${pilot.interval.medianHalfWidthFactor}, coverage ${pilot.interval.coveragePercent} %.
`;
}

function ofSteps(steps: StepReport): string {
  return `## Step time of Megatron on A100
vTrain's public measurements (MICRO 2024), leave one model out. vTrain itself reports 8.37 % on one node and 14.73 % on many, from kernels profiled on one node; weir fits the constants of its formula to other models' rows of the same cluster, so the two are not like for like.

One node:

${table(steps.singleNode)}

Many nodes (the fit also sees one node's rows of other models, with little weight):

${table(steps.multiNode)}
`;
}

function verdict(scores: Record<string, Score>, aim: number): string {
  const median = scores['weir']?.medianErrorPercent ?? NaN;
  return `${median} %${median < aim ? '' : ' (not reached)'}`;
}

function table(scores: Record<string, Score>): string {
  const rows = Object.entries(scores).map(
    ([name, { rows: count, medianErrorPercent, meanErrorPercent, p90ErrorPercent }]) =>
      `| ${name} | ${count} | ${shown(medianErrorPercent)} | ${shown(meanErrorPercent)} | ${shown(p90ErrorPercent)} |`,
  );
  return ['| model | rows | median % | mean % | p90 % |', '|---|---|---|---|---|', ...rows].join('\n');
}

const shown = (value: number): string => (value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(1));
