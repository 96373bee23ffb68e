import { invalid } from '../core/errors.ts';

/**
 * A job of a trace in the Standard Workload Format of the Parallel Workloads Archive, version 2.2
 * (https://www.cs.huji.ac.il/labs/parallel/workload/swf.html). Undefined where the trace does not say.
 */
export type SwfJob = {
  /** Of the file, from 1: numbers of jobs may repeat. */
  line: number;
  number: number;
  /** Seconds since the start of the trace. */
  submitSeconds: number;
  waitSeconds: number | undefined;
  runSeconds: number;
  processors: number;
  /** What the user said that it would take. */
  requestedSeconds: number | undefined;
  user: string;
  group: string;
};

export type SwfTrace = {
  jobs: SwfJob[];
  /** Of the machine, as the header has it. */
  maxProcessors: number | undefined;
  /** Seconds since 1970 at which the trace starts. */
  startSeconds: number;
  /** Jobs without a runtime or processors, or cancelled before they ran. */
  dropped: number;
};

const fieldCount = 18;
/** Of the field for the status: a job that was checkpointed has a line for each part, and one of its own with all of it. */
const partial = new Set([2, 3, 4]);
const cancelled = 5;

/** @throws WeirError `invalid` naming the first line that is not of the format. */
export function parseSwf(text: string): SwfTrace {
  const header = new Map<string, string>();
  const jobs: SwfJob[] = [];
  let dropped = 0;
  for (const [index, line] of text.split('\n').entries()) {
    const content = line.trim();
    if (content === '') continue;
    if (content.startsWith(';')) {
      const [, name, value] = /^;\s*(\w+):\s*(.*)$/.exec(content) ?? [];
      if (name !== undefined && value !== undefined && !header.has(name)) header.set(name, value);
      continue;
    }
    const { status, ...job } = parseJob(content, index + 1);
    if (partial.has(status)) continue;
    if (didRun(job, status)) jobs.push(job);
    else dropped += 1;
  }
  const maxProcessors = Number.parseInt(header.get('MaxProcs') ?? header.get('MaxNodes') ?? '', 10);
  return {
    jobs,
    dropped,
    maxProcessors: maxProcessors > 0 ? maxProcessors : undefined,
    startSeconds: Number.parseInt(header.get('UnixStartTime') ?? '0', 10) || 0,
  };
}

function parseJob(line: string, lineNumber: number): SwfJob & { status: number } {
  const fields = line.split(/\s+/).map(Number);
  if (fields.length !== fieldCount || fields.some(Number.isNaN))
    throw invalid(
      '',
      `Line ${lineNumber} is not of the Standard Workload Format: it has ${fieldCount} numbers a line, and comments after a semicolon.`,
    );
  const [number = 0, submitSeconds = 0, wait = -1, run = -1, allocated = -1] = fields;
  const [requestedProcessors = -1, requestedSeconds = -1, , status = -1, user = -1, group = -1] = fields.slice(7);
  return {
    line: lineNumber,
    number,
    status,
    submitSeconds,
    waitSeconds: known(wait),
    runSeconds: run,
    processors: known(allocated) ?? requestedProcessors,
    requestedSeconds: known(requestedSeconds),
    user: String(user),
    group: String(group),
  };
}

function didRun({ processors, runSeconds }: SwfJob, status: number): boolean {
  return processors > 0 && (status === cancelled ? runSeconds > 0 : runSeconds >= 0);
}

/** The format says -1 for what is not known. */
function known(value: number): number | undefined {
  return value < 0 ? undefined : value;
}
