import { execFile } from 'node:child_process';
import { statfs } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { gpuKinds } from '../../protocol/job-spec.ts';
import type { Config } from '../../config.ts';
import type { Capacity, Sellable } from '../provider.ts';
import { ownUsdPerGpuHour } from './own-price.ts';

const gib = 1024 ** 3;
const memoryOfWeirBytes = gib;
/** Of what is free, for the database and the bucket, which may lie on the same disk. */
const diskShareOfWeir = 0.1;
const maxDiskOfWeirBytes = 10 * gib;
const smallerA100Mib = 60 * 1024;
const usualStartSeconds = { p50: 0.3, p90: 1 };

/**
 * What jobs may use of this machine, within its cgroup and the operator's configuration. `jobsBytes`: what those that run have written, which
 * is part of what they hold.
 */
export async function measureCapacity(config: Config['local'], workRoot: string, jobsBytes: number): Promise<Capacity> {
  const { bavail, bsize } = await statfs(workRoot);
  const freeBytes = bavail * bsize + jobsBytes;
  // Unlimited reads as 0 or as more than there is.
  const memoryBytes = Math.min(totalmem(), process.constrainedMemory() || Infinity);
  return {
    cpus: config.cpus ?? availableParallelism(),
    memoryBytes:
      config.memoryGiB === undefined
        ? Math.max(memoryBytes - memoryOfWeirBytes, memoryBytes / 2)
        : config.memoryGiB * gib,
    diskBytes:
      config.diskGiB === undefined
        ? Math.floor(freeBytes - Math.min(freeBytes * diskShareOfWeir, maxDiskOfWeirBytes))
        : config.diskGiB * gib,
    gpus: await findGpus(),
  };
}

export async function writtenBytes(directory: string): Promise<number> {
  // Files that go while it looks are no fault.
  const { stdout } = await promisify(execFile)('du', ['-sxk', '--', directory]).catch((error: { stdout?: string }) => ({
    stdout: error.stdout ?? '',
  }));
  return Number.parseInt(stdout || '0', 10) * 1024;
}

async function findGpus(): Promise<Capacity['gpus']> {
  try {
    const { stdout } = await promisify(execFile)(
      'nvidia-smi',
      ['--query-gpu=name,memory.total', '--format=csv,noheader'],
      { timeout: 20_000 },
    );
    return readGpus(stdout);
  } catch {
    return { kind: 'none', count: 0 };
  }
}

/**
 * What `nvidia-smi --query-gpu=name,memory.total --format=csv,noheader` lists, in our kinds. Jobs name GPUs by index, so where
 * kinds are mixed, those from the first on that are alike are offered.
 */
export function readGpus(csv: string): Capacity['gpus'] {
  const kinds = csv.trim().split('\n').map(kindOf);
  const [kind] = kinds;
  if (kind === undefined) return { kind: 'none', count: 0 };
  const firstOther = kinds.findIndex((other) => other !== kind);
  return { kind, count: firstOther === -1 ? kinds.length : firstOther };
}

function kindOf(line: string): string | undefined {
  const [name = '', memory = ''] = line.split(', ');
  // Whole words: an L40 is no L4, a GH200 no H200.
  const kind = gpuKinds.find((candidate) => new RegExp(`\\b${candidate}\\b`).test(name));
  return kind === 'A100' && Number.parseInt(memory, 10) > smallerA100Mib ? 'A100-80GB' : kind;
}

/** The machine as it is sold: its cores, and its GPUs with them. */
export function sellablesOf(
  capacity: Capacity,
  config: Config['local'],
  today: string,
  gigaflopsPerCore?: number,
): Sellable[] {
  const microUsdPerCpuHour = Math.round((config.usdPerCpuHour ?? 0.02) * 1e6);
  const microUsdPerGpuHour = Math.round((config.usdPerGpuHour ?? ownUsdPerGpuHour(capacity.gpus.kind)) * 1e6);
  const { cpus, memoryBytes, diskBytes, gpus } = capacity;
  const sell = (accelerators: Sellable['accelerators'], gpuCount: number): Sellable => ({
    region: 'local',
    zone: 'local',
    machineType: 'local',
    accelerators,
    cpus,
    memoryBytes,
    diskBytes,
    market: 'on-demand',
    microUsdPerHour: Math.round(cpus * microUsdPerCpuHour + gpuCount * microUsdPerGpuHour),
    priceDate: today,
    divisible: { microUsdPerCpuHour, microUsdPerGpuHour },
    startSeconds: usualStartSeconds,
  });
  const cores = {
    ...sell({ kind: 'cpu', count: cpus }, 0),
    ...(gigaflopsPerCore === undefined ? {} : { gigaflopsPerCore }),
  };
  return gpus.count === 0 ? [cores] : [cores, sell(gpus, gpus.count)];
}
