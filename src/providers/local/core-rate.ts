import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

/** Where the start of weir is so slow that this does not do, quotes take the usual rate of a core, and the next start tries again. */
const limitMs = 2_000;

/** What differs by less is the same machine on another day. */
const noise = 1.02;

/**
 * The fp32 rate of a matrix product on one core of this machine, in GFLOP/s to three digits; undefined where it can't be
 * measured. What an earlier start measured on such a processor holds, so that quotes do not change with the load; a start that
 * finds more keeps it for the next.
 */
export async function measureCoreRate({ dataDir, onError }: CoreRateOptions): Promise<number | undefined> {
  const path = join(dataDir, 'core-rates.json');
  const name = nameOfProcessor(await readFile('/proc/cpuinfo', 'utf8'));
  const rates = await readRates(path);
  const known = rates[name];
  const measured = measureInThread().then(async (rate) => {
    if (rate !== undefined && rate > (known ?? 0) * noise) await keepRates(path, { ...rates, [name]: rate });
    return rate;
  });
  if (known === undefined) return measured;
  measured.catch(onError);
  return known;
}

type CoreRateOptions = {
  dataDir: string;
  /** Told where a better rate could not be kept. */
  onError: (error: unknown) => void;
};

/** As /proc/cpuinfo describes the first core: by name, or by numbers where it has none. */
export function nameOfProcessor(cpuinfo: string): string {
  const [first = ''] = cpuinfo.split('\n\n');
  const entry =
    /^(?:model name|cpu family|model|stepping|CPU (?:implementer|architecture|variant|part|revision))\s*: (.+)$/gm;
  return [...first.matchAll(entry)].map((match) => match[1]).join(' ');
}

/** In a thread of its own, which neither delays the start nor keeps the process. */
function measureInThread(): Promise<number | undefined> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL('core-rate-worker.ts', import.meta.url));
    worker.unref();
    const giveUp = setTimeout(() => void worker.terminate(), limitMs);
    giveUp.unref();
    worker.once('message', (rate: number) => resolve(Number(rate.toPrecision(3))));
    // A processor without SIMD can't run the kernel.
    worker.once('error', () => resolve(undefined));
    worker.once('exit', () => {
      clearTimeout(giveUp);
      resolve(undefined);
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
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify(rates, undefined, 2)}\n`);
  await rename(draft, path);
}
