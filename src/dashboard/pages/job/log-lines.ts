import type { LogLine } from '../../../../infra/cli/generated/api.ts';
import { count } from '../../parts/format.ts';
import { noReadings, withReadings, type Readings } from './readings.ts';

/** So many lines are kept to be looked at; all of them are in the log's file. */
export const mostLines = 20_000;

export type Log = {
  lines: readonly LogLine[];
  /** What the lines tell again and again. */
  readings: Readings;
  isComplete: boolean;
  fault: string | undefined;
};

export const noLog: Log = { lines: [], readings: noReadings, isComplete: false, fault: undefined };

/** The log with what came; with it, whatever was wrong is over. */
export function withLines(log: Log, items: readonly LogLine[]): Log {
  if (items.length === 0) return { ...log, fault: undefined };
  return {
    ...log,
    lines: [...log.lines, ...items].slice(-mostLines),
    readings: withReadings(log.readings, items),
    fault: undefined,
  };
}

/** How what is shown stands to the whole log. */
export function hintOf({ lines, isComplete, fault }: Log): string {
  if (fault !== undefined) return fault;
  const isCut = (lines[0]?.seq ?? 0) > 0;
  const kept = isCut ? ` Only its last ${count(mostLines)} lines are shown here.` : '';
  return `${isComplete ? 'The log is complete.' : 'Live.'}${kept}`;
}
