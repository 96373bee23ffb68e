import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

/** On a machine so busy that this does not do for all rounds, those that were done count. */
const usualLimitMs = 2_000;

/** What differs by less is the same machine on another day. */
const noise = 1.02;

/**
 * The fp32 rate of a matrix product on one core of this machine, in GFLOP/s to three digits; undefined where it can't be
 * measured. What an earlier start measured on such a processor holds, so that quotes do not change with the load; a start that
 * finds more keeps it for the next.
 */
export function measureCoreRate({ dataDir, onError, limitMs = usualLimitMs }: CoreRateOptions): CoreRate {
  const path = join(dataDir, 'core-rates.json');
  const read = Promise.all([readFile('/proc/cpuinfo', 'utf8').then(nameOfProcessor), readRates(path)]);
  const measured = measureInThread(limitMs);
  const kept = Promise.all([read, measured]).then(async ([[name, rates], rate]) => {
    if (rate !== undefined && rate > (rates[name] ?? 0) * noise)
      await keepRates(path, { ...rates, [name]: rate }).catch(onError);
  });
  return { rate: read.then(([name, rates]) => rates[name] ?? kept.then(() => measured)), kept };
}

type CoreRate = {
  rate: Promise<number | undefined>;
  /** Nothing is written after it. */
  kept: Promise<void>;
};

type CoreRateOptions = {
  dataDir: string;
  /** Told where a better rate could not be kept. */
  onError: (error: unknown) => void;
  limitMs?: number;
};

/** As /proc/cpuinfo describes the first core: by name, or by numbers where it has none. */
export function nameOfProcessor(cpuinfo: string): string {
  const [first = ''] = cpuinfo.split('\n\n');
  const entry =
    /^(?:model name|cpu family|model|stepping|CPU (?:implementer|architecture|variant|part|revision))\s*: (.+)$/gm;
  return [...first.matchAll(entry)].map((match) => match[1]).join(' ');
}

/** In a thread of its own, which neither delays the start nor keeps the process. */
function measureInThread(limitMs: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL('core-rate-worker.ts', import.meta.url));
    worker.unref();
    const giveUp = setTimeout(() => void worker.terminate(), limitMs);
    giveUp.unref();
    let best: number | undefined;
    worker.on('message', (rate: number) => {
      best = Number(rate.toPrecision(3));
    });
    // A processor without SIMD can't run the kernel.
    worker.once('error', () => resolve(undefined));
    worker.once('exit', () => {
      clearTimeout(giveUp);
      resolve(best);
    });
  });
}

type Rates = Record<string, number>;

/** None where there is no such file, or not one of ours. */
async function readRates(path: string): Promise<Rates> {
  try {
    const rates: unknown = JSON.parse(await readFile(path, 'utf8'));
    return Object.fromEntries(Object.entries(rates ?? {}).filter(([, rate]) => Number.isFinite(rate) && rate > 0));
  } catch {
    return {};
  }
}

async function keepRates(path: string, rates: Rates): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, `${JSON.stringify(rates, undefined, 2)}\n`);
  await rename(draft, path);
}
