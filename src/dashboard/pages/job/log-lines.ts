import type { LogLine } from '../../../../infra/cli/generated/api.ts';
import { count } from '../../parts/format.ts';

/** So many lines are kept to be looked at; all of them are in the log's file. */
export const mostLines = 20_000;

export type Log = {
  lines: LogLine[];
  /** Older lines came, and are kept here no more. */
  isCut: boolean;
  isComplete: boolean;
  fault: string | undefined;
};

export const noLog: Log = { lines: [], isCut: false, isComplete: false, fault: undefined };

/** The log with what came; with it, whatever was wrong is over. */
export function withLines(log: Log, items: readonly LogLine[]): Log {
  const lines = [...log.lines, ...items];
  return {
    ...log,
    lines: lines.slice(-mostLines),
    isCut: log.isCut || lines.length > mostLines,
    fault: undefined,
  };
}

/** How what is shown stands to the whole log. */
export function hintOf({ isComplete, isCut, fault }: Log): string {
  if (fault !== undefined) return fault;
  const kept = isCut ? ` Only its last ${count(mostLines)} lines are shown here.` : '';
  return `${isComplete ? 'The log is complete.' : 'Live.'}${kept}`;
}
