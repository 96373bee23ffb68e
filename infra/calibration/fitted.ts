import { shareTerms } from '../../src/quotes/share.ts';
import { classTable } from './class-table.ts';
import type { Tables } from './compact.ts';
import { bearing, fitShare, observeAll, observeMedians } from './share-model.ts';

/** A generated file: its head, and a list of which each item is a line. */
export type FittedFile = { head: Record<string, unknown>; list: string; items: unknown[] };

/** Everything that is generated, from the figures alone: the same figures give the same files. */
export function fittedFiles(tables: Tables): Record<string, FittedFile> {
  return { share: shareFile(tables), classes: classesFile(tables) };
}

function shareFile(tables: Tables): FittedFile {
  const observations = observeAll(tables);
  const fit = fitShare([...observations, ...observeMedians(tables)]);
  return {
    head: {
      model: 'ln(share of the peak) = Σ value · term; the terms are in share.ts',
      rows: { runs: tables.runs.length, others: observations.length - tables.runs.length },
    },
    list: 'terms',
    items: Object.keys(shareTerms).map((name) => ({ name, value: fit[name], rows: bearing(observations, name) })),
  };
}

function classesFile(tables: Tables): FittedFile {
  const { entries, samples, rows } = classTable(tables);
  return {
    head: { model: 'ln(minutes) of MLPerf classes; the terms are in class-table.ts', rows, samples },
    list: 'entries',
    items: entries,
  };
}
