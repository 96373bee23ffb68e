import type { ClassReport, PilotReport } from './evaluate-classes.ts';
import type { ElsewhereReport } from './evaluate-elsewhere.ts';
import type { RunReport } from './evaluate-runs.ts';
import type { StepReport } from './evaluate-steps.ts';
import type { TermReport } from './evaluate-terms.ts';
import { type Score } from './score.ts';

export type Report = {
  date: string;
  runs: RunReport;
  terms: TermReport[];
  /** Median error in % with the choice among those terms nested. */
  nestedErrorPercent: number;
  elsewhere: ElsewhereReport;
  seen: ClassReport;
  unseen: ClassReport;
  pilot: PilotReport;
  steps: StepReport;
};

/** docs/quote-accuracy.md, from what was measured. */
export function writeReport(report: Report): string {
  const sections = [
    ofAims(report),
    ofRuns(report),
    ofElsewhere(report.elsewhere),
    ofTerms(report.terms),
    ofClasses(report),
    ofPilot(report.pilot),
    ofSteps(report.steps),
    ofCores,
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

function ofRuns({ runs, terms, nestedErrorPercent }: Report): string {
  const { wellKnown, other } = runs.strata;
  const { betweenGroups, withinGroup, seenMedianErrorPercent } = runs.spread;
  const kept = (name: string): string =>
    `${Math.round(100 * (runs.outcomes.find((each) => each.name === name)?.share ?? NaN))} %`;
  const without = terms.find(({ name }) => name === 'without steadyMixture, tuning')?.runs.medianErrorPercent;
  const least = medianErrorOf(Math.hypot(betweenGroups, withinGroup));
  return `## Whole public runs, nothing known but the spec
${runs.outcomes.length} runs, leave one group out (a team or a family of models), with every steady rate that the same hands published. Accelerator-hours.

${table(runs.scores)}

The 80 % interval is ×${wellKnown.medianHalfWidthFactor} for language models of 2 billion parameters or more on A100, H100, TPU v3 and v4, and mixtures on H100 (${wellKnown.rows} runs, coverage ${wellKnown.coveragePercent} %), ×${other.medianHalfWidthFactor} for the rest (${other.rows} runs, ${other.coveragePercent} %).

![Predicted against actual accelerator-hours](images/quote-accuracy.svg)

Language models of 2 billion parameters or more, dense and mixtures, have a median error of ${shown(runs.largeLanguage.medianErrorPercent)} % (${runs.largeLanguage.rows} runs).

The aim of 20 % is not reached, and what is missing is not in a spec:

- What is left of ln(actual ÷ predicted) has a standard deviation of ${betweenGroups} between groups and ${withinGroup} among the runs of one. A normal distribution of both has a median error of ${least} %: that is what the same team's stack, seen only from outside, costs any formula. ${Math.round((100 * betweenGroups ** 2) / (betweenGroups ** 2 + withinGroup ** 2))} % of the variance is the group's own, which is why a first finished job, or a pilot, narrows a quote so much.
- Runs that a spec can't tell apart: on A100 of 40 GB, at 2,048 tokens, Falcon-40B kept ${kept('Falcon-40B')} of the peak, BloombergGPT-50B ${kept('BloombergGPT-50.6B')} and Luminous-30B ${kept('Luminous-extended-30B')}; of 13 billion parameters at 4,096 tokens, Skywork ${kept('Skywork-13B')} and PLaMo ${kept('PLaMo-13B')}; of 100 to 180 billion, Falcon ${kept('Falcon-180B')} and YaLM ${kept('YaLM-100B')}; of 124 million on eight A100, llm.c ${kept('llm.c GPT-2 124M 10B')} and nanoGPT ${kept('nanoGPT GPT-2 124M (OWT, 600k it)')}.
- With all rows in the fit, and so each run's own among them, the median error is still ${shown(seenMedianErrorPercent)} %.
- Many durations are whole weeks by the calendar, idle time included.

The median of so few runs is itself uncertain by about 4 points. Three things were chosen with these errors in view. \`steadyMixture\`: nearly all steady rates of mixtures are one vendor's, of few configurations in many releases, and held whole runs of others down. \`tuning\`: the one fine-tune of the tables, s1, took twice its quote, and three that are in no table (Alpaca, Vicuna, QLoRA), from which its expected size is taken, took two and a half to five times theirs. Without the two it is ${without} %. \`volta\` is expected where published language models on V100 lie, at half of A100's share, which these rows alone tell less well. When the choice among the ${terms.length} variants below is made anew for each group, on the others alone, the median is ${nestedErrorPercent} %. RoBERTa is an encoder here, as in its paper; the tables call it a language model. The shipped coefficients also take in the runs below; the figures above are of fits without those.
`;
}

/** Of exp(x) - 1, x normal around 0: about as far from it as exp is at the quartiles of x. */
const medianErrorOf = (deviation: number): number => Math.round(100 * Math.sinh(0.6745 * deviation));

function ofElsewhere(report: ElsewhereReport): string {
  const { runs, score, coveragePercent, coverageByWidth, tablesMedianErrorPercent, batch } = report;
  const byWidth = coverageByWidth.map(({ factor, runs: of, covered }) => `×${factor} ${covered} of ${of}`);
  const rows = runs.map(
    ({ name, count, accelerator, acceleratorHours, p10, p50, p90, isCovered, source }) =>
      `| ${name} | ${count ?? ''} ${accelerator} | ${hours(acceleratorHours)} | ${[p10, p50, p90].map(hours).join(' – ')} | ${(p50 / acceleratorHours).toFixed(2)} | ${isCovered ? 'yes' : 'no'} | ${source} |`,
  );
  return `### Well-known runs that are in no table
Hours as papers and model cards state them; those that a search could not confirm are from memory of these. The shipped coefficients are fitted to the tables' runs and to these together, since whoever asks for a quote is somewhere among all of them, and the tables have hardly an encoder, a diffusion model or a V100. Here each is predicted by the same fit without its group: median error ${shown(score.medianErrorPercent)} %, within the 80 % interval that such a quote has ${coveragePercent} % of ${score.rows} (${byWidth.join(', ')}). With these in the fit the tables' own runs, again without their groups, have ${shown(tablesMedianErrorPercent)} %.

Stating the global batch does no harm: of ${batch.stated.rows} runs whose batch is known the mean error is ${shown(batch.stated.meanErrorPercent)} % with it and ${shown(batch.unstated.meanErrorPercent)} % without. Whole runs are fitted without theirs, so what a usual batch costs is in the intercept, and only a step smaller than 16,384 tokens an accelerator (of a model of over 7 billion parameters, fewer in proportion) costs more.

| run | on | accelerator-hours | predicted p10 – p50 – p90 | p50 ÷ actual | within | hours from |
|---|---|---|---|---|---|---|
${rows.join('\n')}
`;
}

const hours = (value: number): string => Number(value.toPrecision(3)).toLocaleString('en');

function ofTerms(terms: readonly TermReport[]): string {
  const rows = terms.map(
    ({ name, meaning, value, runs, allRunsMeanLog, steadyMeanLog }) =>
      `| ${name} | ${meaning} | ${value ?? ''} | ${runs.medianErrorPercent.toFixed(1)} | ${runs.meanLog.toFixed(3)} | ${allRunsMeanLog.toFixed(3)} | ${steadyMeanLog.toFixed(3)} |`,
  );
  return `### Nodes, network and other terms that the rows do not bear
Those that are in, without those added last, then each other one beside them: its coefficient fitted to all rows, and the errors on origins left out: the median % and the mean |ln(predicted ÷ actual)| of whole runs, the mean of these and the runs above together, all of them in the fit, and that of steady rates of language models. A term that bore would lower the means.

| term | of | coefficient | median % | mean of runs | with those above | mean of steady rates |
|---|---|---|---|---|---|---|
${rows.join('\n')}

What nodes and network cost is in the term of the count (${'`'}languageCount${'`'}, ${'`'}visionCount${'`'}) and of PCIe. The rows say nothing of slow networks: all that are public over more than one machine have InfiniBand, a cloud's equal of it, or a TPU's own links, so a gang over plain Ethernet will be slower than its quote, until a pilot or a finished job says by how much. For one stack and its layout the network can be told apart: see the step times on many nodes, below.
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

/** Measured once, by hand. */
const ofCores = `## Cores
The rates of one core of an AMD EPYC of 2024: 66 GFLOP/s by weir's kernel, 97 in NumPy's product with 512-bit vectors. Parts of the former that training kept:

| program | part |
|---|---|
| steps compiled by JAX, 4 layers of 256 wide / of 768 wide | .7 / 2.3 |
| a convolutional net for digits | .3 |
| 256-channel convolutions | 1.4 |
| the perceptron of \`digits-mlp\` in plain JavaScript | .05 |
`;

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
