import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { LogRecord } from '../protocol/runner.ts';
import { createIntake } from './log-intake.ts';
import { createLineSplitter, maxUnbrokenBytes, type LineSplitter } from './log-lines.ts';
import type { LogSpool } from './log-spool.ts';
import { lastProgress, type DatedProgress } from './progress.ts';
import { createSecretMask, type SecretMask } from './secret-mask.ts';

const batchDelayMs = 100;
const maxBatchChars = 256 * 1024;
/** Of records not yet compressed: above it the job's pipes are not read. */
const maxPendingChars = 2 * 1024 * 1024;
const tailLines = 20;

const compress = promisify(gzip);

export type JobLog = {
  /** Reads a stream of the job to its end. */
  attach: (stream: Readable, kind: 'o' | 'e') => Promise<void>;
  /** A line of weir's own. */
  say: (text: string) => void;
  progress: () => DatedProgress | undefined;
  /** The last lines of the errors, to recognise what went wrong. */
  errorTail: () => string[];
  /** No more will come: resolves with the number of lines once all are in the spool. */
  close: () => Promise<number>;
};

type Source = { kind: 'o' | 'e'; mask: SecretMask; splitter: LineSplitter };

/** From the job's bytes to batches of records in the spool: masked, cut into lines, in order of arrival. */
export function createJobLog(spool: LogSpool, secrets: string[], onEndlessLine: () => void): JobLog {
  const batches = createBatches(spool);
  let progress: DatedProgress | undefined;
  let errorTail: string[] = [];

  const record = (kind: LogRecord['s'], lines: string[], at: number): void => {
    if (lines.length === 0) return;
    batches.add(kind, lines, at);
    const said = kind === 'o' ? lastProgress(lines) : undefined;
    if (said !== undefined) progress = { ...said, atMs: at };
    if (kind === 'e') errorTail = [...errorTail, ...lines.slice(-tailLines)].slice(-tailLines);
  };

  const intake = createIntake<Source>(({ source, chunk, at }) => {
    const lines = chunk === undefined ? endOf(source) : source.splitter.feed(source.mask.feed(chunk));
    record(source.kind, lines, at);
    if (source.splitter.unbrokenBytes() > maxUnbrokenBytes) onEndlessLine();
  });

  return {
    attach: (stream, kind) => {
      const source = { kind, mask: createSecretMask(secrets), splitter: createLineSplitter() };
      return new Promise((resolve) => {
        stream.on('data', (chunk: Buffer) => {
          intake.add({ source, chunk, at: Date.now() });
          if (!intake.isFull() && !batches.isFull()) return;
          stream.pause();
          void Promise.all([intake.room(), batches.room()]).then(() => stream.resume());
        });
        stream.on('error', () => stream.destroy());
        stream.on('close', () => {
          intake.add({ source, chunk: undefined, at: Date.now() });
          void intake.empty().then(resolve);
        });
      });
    },
    say: (text) => record('w', text.split('\n'), Date.now()),
    progress: () => progress,
    errorTail: () => errorTail,
    close: () => batches.close(),
  };
}

function endOf({ mask, splitter }: Source): string[] {
  return [...splitter.feed(mask.end()), ...splitter.end()];
}

/** Gathers records and hands them to the spool: the first at once, then every 100 ms or 256 KiB. */
function createBatches(spool: LogSpool) {
  let text = '';
  let lines = 0;
  let firstLine = 0;
  let lastFlushMs = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  let pendingChars = 0;
  let spooled: Promise<void> = Promise.resolve();
  let waiting: (() => void)[] = [];

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (lines === 0) return;
    lastFlushMs = performance.now();
    const batch = { firstLine, lines, chars: text.length, raw: Buffer.from(text) };
    firstLine += lines;
    pendingChars += batch.chars;
    text = '';
    lines = 0;
    const zipped = compress(batch.raw, { level: constants.Z_BEST_SPEED });
    spooled = spooled.then(async () => {
      await spool.append({
        firstLine: batch.firstLine,
        lines: batch.lines,
        rawBytes: batch.raw.length,
        bytes: await zipped,
      });
      pendingChars -= batch.chars;
      if (pendingChars > maxPendingChars / 2) return;
      for (const wake of waiting) wake();
      waiting = [];
    });
  };

  return {
    add: (kind: LogRecord['s'], added: string[], at: number): void => {
      const head = `{"s":"${kind}","t":`;
      const tail = `,"at":${at}}\n`;
      for (const line of added) text += head + JSON.stringify(line) + tail;
      lines += added.length;
      if (text.length >= maxBatchChars) return flush();
      timer ??= setTimeout(flush, Math.max(0, lastFlushMs + batchDelayMs - performance.now()));
    },
    isFull: () => pendingChars > maxPendingChars,
    room: (): Promise<void> =>
      pendingChars > maxPendingChars ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(),
    close: async (): Promise<number> => {
      flush();
      await spooled;
      spool.end();
      return firstLine;
    },
  };
}
