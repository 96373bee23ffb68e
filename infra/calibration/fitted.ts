import { shareTerms } from '../../src/quotes/share.ts';
import { classTable } from './class-table.ts';
import type { Tables } from './compact.ts';
import { bearing, fitShare, observeAll, observeElsewhere } from './share-model.ts';

/** A generated file: its head, and a list of which each item is a line. */
export type FittedFile = { head: Record<string, unknown>; list: string; items: unknown[] };

/** Everything that is generated, from the figures alone: the same figures give the same files. */
export function fittedFiles(tables: Tables): Record<string, FittedFile> {
  return { share: shareFile(tables), classes: classesFile(tables) };
}

function shareFile(tables: Tables): FittedFile {
  const elsewhere = observeElsewhere(tables);
  const observations = [...observeAll(tables), ...elsewhere];
  const fit = fitShare(observations);
  const runs = tables.runs.length + elsewhere.length;
  return {
    head: {
      model: 'ln(share of the peak) = Σ value · term; the terms are in share.ts',
      rows: { runs, others: observations.length - runs },
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
