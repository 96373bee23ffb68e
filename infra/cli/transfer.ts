import { formatDuration } from '../../src/core/time.ts';
import { bar } from './bar.ts';
import { paintError } from './screen.ts';
import { createStatusLine } from './status-line.ts';
import { byteText } from './words.ts';

/** Bytes on their way, shown as a bar with the rate and the time left. */
export type Transfer = { advance: (bytes: number) => void; end: () => void };

const barColumns = 24;
const drawEveryMs = 100;

export function createTransfer(what: string, totalBytes: number, now = () => performance.now()): Transfer {
  const line = createStatusLine();
  const startMs = now();
  let doneBytes = 0;
  let drawnMs = -Infinity;
  return {
    advance: (bytes) => {
      doneBytes += bytes;
      if (now() - drawnMs < drawEveryMs) return;
      drawnMs = now();
      line.set(transferText(what, { doneBytes, totalBytes, seconds: (drawnMs - startMs) / 1000 }));
    },
    end: line.clear,
  };
}

/** `data.tar  ████░░░░  50 %  8 MiB of 16 MiB  4 MiB/s  2 s left` */
export function transferText(
  what: string,
  { doneBytes, totalBytes, seconds }: { doneBytes: number; totalBytes: number; seconds: number },
): string {
  const share = totalBytes === 0 ? 1 : doneBytes / totalBytes;
  const rate = seconds > 0 ? doneBytes / seconds : 0;
  const left = rate > 0 ? `  ${byteText(rate)}/s  ${formatDuration((totalBytes - doneBytes) / rate)} left` : '';
  const drawn = paintError('cyan', bar(share, barColumns));
  return `${what}  ${drawn}  ${Math.floor(100 * share)} %  ${byteText(doneBytes)} of ${byteText(totalBytes)}${left}`;
}
