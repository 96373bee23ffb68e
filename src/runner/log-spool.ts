import { mkdir, open, readdir, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { maxLogChunkBytes } from '../protocol/limits.ts';
import type { LogDelivery } from './broker.ts';
import { frameHeadBytes, frameOf, readAt, type SpooledBatch } from './log-frames.ts';

/**
 * What waits for the broker, in order: all of it on disk, from where it is delivered should this runner be killed, and a little
 * in memory too, so that it is not read again.
 */
export type LogSpool = {
  /** Resolves when there is room for more: at once, except where the disk is full. */
  append: (batch: SpooledBatch) => Promise<void>;
  /** What to send next, waiting for it; undefined at the end. The same until `drop` is called. */
  next: () => Promise<LogDelivery | undefined>;
  drop: () => Promise<void>;
  end: () => void;
};

type Place = { segment: Segment; offset: number; length: number };
/** In memory, on disk or both. */
type Entry = Omit<SpooledBatch, 'bytes'> & { bytes: Buffer | undefined; place: Place | undefined };
type Segment = { path: string; file: FileHandle; written: number; waiting: number };

const limits = { memoryBytes: 4 * 1024 * 1024, fullDiskMemoryBytes: 16 * 1024 * 1024, segmentBytes: 64 * 1024 * 1024 };
const maxLinesPerDelivery = 500_000;

export function createLogSpool(directory: string): LogSpool {
  const queue: Entry[] = [];
  const segments = createSegments(directory);
  let heldBytes = 0;
  let taken: { delivery: LogDelivery; entries: number } | undefined;
  let isEnded = false;
  let wakeReader: () => void = () => undefined;
  let wakeWriter: () => void = () => undefined;

  const take = async (): Promise<{ delivery: LogDelivery; entries: number }> => {
    const entries = firstDelivery(queue);
    const bytes = await Promise.all(entries.map(async (entry) => entry.bytes ?? (await segments.read(entry.place))));
    return {
      entries: entries.length,
      // Members of gzip one after the other are gzip again.
      delivery: {
        firstLine: entries[0]?.firstLine ?? 0,
        lines: entries.reduce((sum, entry) => sum + entry.lines, 0),
        bytes: Buffer.concat(bytes),
      },
    };
  };

  return {
    append: async (batch) => {
      const place = await segments.write(batch);
      const isHeld = place === undefined || heldBytes + batch.bytes.length <= limits.memoryBytes;
      queue.push({ ...batch, bytes: isHeld ? batch.bytes : undefined, place });
      if (isHeld) heldBytes += batch.bytes.length;
      wakeReader();
      while (heldBytes > limits.fullDiskMemoryBytes) await new Promise<void>((resolve) => (wakeWriter = resolve));
    },
    next: async () => {
      while (queue.length === 0 && !isEnded) await new Promise<void>((resolve) => (wakeReader = resolve));
      if (queue.length === 0) return undefined;
      taken ??= await take();
      return taken.delivery;
    },
    drop: async () => {
      for (const entry of queue.splice(0, taken?.entries ?? 0)) {
        heldBytes -= entry.bytes?.length ?? 0;
        if (entry.place !== undefined) await segments.release(entry.place);
      }
      taken = undefined;
      wakeWriter();
    },
    end: () => {
      isEnded = true;
      wakeReader();
    },
  };
}

/** As much from the front as one call may carry; never nothing. */
function firstDelivery(queue: Entry[]): Entry[] {
  let rawBytes = 0;
  let lines = 0;
  const end = queue.findIndex((entry, index) => {
    rawBytes += entry.rawBytes;
    lines += entry.lines;
    return index > 0 && (rawBytes > maxLogChunkBytes || lines > maxLinesPerDelivery);
  });
  return end === -1 ? [...queue] : queue.slice(0, end);
}

function segmentName(index: number): string {
  return `${index}.log`;
}

/** What a spool has on disk, oldest first. */
export async function listSegments(directory: string): Promise<string[]> {
  const indexes = (await readdir(directory).catch(() => [])).map((name) => Number.parseInt(name, 10));
  return indexes.toSorted((a, b) => a - b).map((index) => join(directory, segmentName(index)));
}

/** Files that are filled one after the other and removed when all in them has been delivered. */
function createSegments(directory: string) {
  let count = 0;
  let current: Segment | undefined;

  const openSegment = async (): Promise<Segment | undefined> => {
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const path = join(directory, segmentName(count));
      current = { path, file: await open(path, 'w+', 0o600), written: 0, waiting: 0 };
      count++;
    } catch {
      // The disk is full.
    }
    return current;
  };

  const release = async (segment: Segment): Promise<void> => {
    segment.waiting--;
    if (segment.waiting > 0) return;
    // Nothing waits: the next batch starts a fresh file, and the disk has its space back.
    if (segment === current) current = undefined;
    await rm(segment.path, { force: true });
    await segment.file.close();
  };

  return {
    /** Undefined where the disk is full: the bytes stay in memory. */
    write: async (batch: SpooledBatch): Promise<Place | undefined> => {
      const segment = current ?? (await openSegment());
      if (segment === undefined) return undefined;
      // Counted at once: the last batch before it may be released while this one is written.
      segment.waiting++;
      const frame = frameOf(batch);
      const start = segment.written;
      try {
        for (let done = 0; done < frame.length;) {
          done += (await segment.file.write(frame, done, frame.length - done, start + done)).bytesWritten;
        }
      } catch {
        await release(segment);
        return undefined;
      }
      segment.written += frame.length;
      if (segment.written >= limits.segmentBytes && segment === current) current = undefined;
      return { segment, offset: start + frameHeadBytes, length: batch.bytes.length };
    },
    read: async (place: Place | undefined): Promise<Buffer> => {
      if (place === undefined) throw new Error('a log batch is neither in memory nor on disk');
      return readAt(place.segment.file, place.offset, place.length);
    },
    release: ({ segment }: Place): Promise<void> => release(segment),
  };
}
