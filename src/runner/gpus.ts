import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Heartbeat } from '../protocol/runner.ts';
import { systemProgram } from './system-program.ts';

type GpuSample = NonNullable<Heartbeat['sample']>['gpus'];

const driverDirectory = '/proc/driver/nvidia/gpus';
const periodMs = 5000;

/** The models of this machine's GPUs, as its driver lists them; `nvidia-smi` would take seconds. */
export function listGpus(): string[] {
  if (!existsSync(driverDirectory)) return [];
  return readdirSync(driverDirectory).map((name) => {
    const information = readFileSync(`${driverDirectory}/${name}/information`, 'utf8');
    return /^Model:\s+(.+)$/m.exec(information)?.[1]?.trim() ?? 'unknown';
  });
}

/** Asks `nvidia-smi` now and then, where there is one and the job has GPUs. */
export function createGpuSampler(indexes: number[]): { latest: () => GpuSample; end: () => void } {
  let latest: GpuSample = [];
  const program = indexes.length === 0 || !existsSync(driverDirectory) ? undefined : systemProgram('nvidia-smi');
  if (program === undefined) return { latest: () => [], end: () => undefined };
  const look = async (): Promise<void> => {
    const query = [
      '--query-gpu=index,utilization.gpu,memory.used',
      '--format=csv,noheader,nounits',
      `--id=${indexes.join(',')}`,
    ];
    const { stdout } = await promisify(execFile)(program, query, { env: {}, timeout: 30_000 });
    latest = readGpuTable(stdout);
  };
  const lookQuietly = () => void look().catch(() => undefined);
  lookQuietly();
  const timer = setInterval(lookQuietly, periodMs);
  return { latest: () => latest, end: () => clearInterval(timer) };
}

/** Lines such as `0, 87, 40536`, in percent and MiB. */
export function readGpuTable(text: string): GpuSample {
  return text
    .split('\n')
    .map((line) => line.split(',').map(Number))
    .filter((fields) => fields.length === 3 && fields.every((field) => Number.isFinite(field)))
    .map(([index = 0, utilizationPercent = 0, memoryMiB = 0]) => ({
      index,
      utilizationPercent,
      memoryBytes: memoryMiB * 1024 ** 2,
    }));
}
