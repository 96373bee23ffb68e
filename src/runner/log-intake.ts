/** What was read of a source, and when; no chunk: its end. */
export type Read<Source> = { source: Source; chunk: Buffer | undefined; at: number };

export type Intake<Source> = {
  add: (read: Read<Source>) => void;
  isFull: () => boolean;
  /** Resolves when there is room for more. */
  room: () => Promise<void>;
  /** Resolves when all that was added has been worked on. */
  empty: () => Promise<void>;
};

/** Above it the job's pipes are not read. */
const maxBytes = 4 * 1024 * 1024;

/**
 * Lets reading go before working: a job that prints much at once waits only until its bytes are taken from the pipe, not
 * until they are cut into lines. Between two chunks of work the pipes are read again.
 */
export function createIntake<Source>(work: (read: Read<Source>) => void): Intake<Source> {
  const queue: Read<Source>[] = [];
  let bytes = 0;
  let isScheduled = false;
  let waiting: { untilBytes: number; resolve: () => void }[] = [];

  const wake = (): void => {
    const isMet = ({ untilBytes }: { untilBytes: number }) =>
      bytes <= untilBytes && (untilBytes > 0 || queue.length === 0);
    for (const { resolve } of waiting.filter(isMet)) resolve();
    waiting = waiting.filter((each) => !isMet(each));
  };
  const step = (): void => {
    isScheduled = false;
    const read = queue.shift();
    if (read === undefined) return;
    bytes -= read.chunk?.length ?? 0;
    work(read);
    if (waiting.length > 0) wake();
    if (queue.length > 0) schedule();
  };
  const schedule = (): void => {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(step);
  };
  const until = (untilBytes: number): Promise<void> =>
    new Promise((resolve) => {
      waiting.push({ untilBytes, resolve });
      wake();
    });

  return {
    add: (read) => {
      queue.push(read);
      bytes += read.chunk?.length ?? 0;
      schedule();
    },
    isFull: () => bytes > maxBytes,
    room: () => until(maxBytes / 2),
    empty: () => until(0),
  };
}
