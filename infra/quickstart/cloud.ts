import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Config } from '../../src/config.ts';
import { formatUsd } from '../../src/core/money.ts';
import type { Job, JobEvent } from '../../src/protocol/job.ts';
import type { JobSpec } from '../../src/protocol/job-spec.ts';
import type { Api } from './api.ts';
import { print, table, title } from './screen.ts';

/** A Google Cloud on this machine, whose machines are processes; no account is needed and nothing is paid. */
export type EmulatedCloud = {
  /** The configuration with Google Cloud as its only provider. */
  configure: (config: Config) => Config;
  /** The sample, for one L4 of a spot machine. */
  adapt: (spec: JobSpec) => JobSpec;
  /** Takes the machine of the running job back once it has come so far. */
  onLine: (text: string, job: () => Promise<Job>) => Promise<void>;
  /** Answers what did not come as it was meant to. */
  printStory: (api: Api, job: Job) => Promise<string[]>;
  close: () => Promise<void>;
};

const repository = join(import.meta.dirname, '../..');
const epochs = 12;
const evictedAfter = `epoch 2/${epochs}`;

/** `hostAddress`: where the cloud's machines reach what listens on this one. */
type Told = { gcp: NonNullable<Config['gcp']>; programs: string; hostAddress: string };

export async function startEmulatedCloud(): Promise<EmulatedCloud> {
  title('Building the runner as one executable, where it is not yet');
  await promisify(execFile)(process.execPath, [join(repository, 'infra/runner/build.ts')]);
  title('Starting an emulated Google Cloud');
  const child = spawn(process.execPath, [join(repository, 'tests/emulators/serve-weir-cloud.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // Ctrl-C in the terminal is for weir; the cloud outlives it, to be cleared up.
    detached: true,
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async <T>(): Promise<T> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error('The emulated Google Cloud has ended.');
    return JSON.parse(value) as T;
  };
  const ask = <T>(request: string): Promise<T> => {
    child.stdin.write(`${request}\n`);
    return answer<T>();
  };
  const { gcp, programs, hostAddress } = await answer<Told>();
  print(`  Compute Engine answers at ${gcp.apiEndpoint}; its machines are processes here`);
  let isEvicted = false;
  let isResumed = false;
  return {
    configure: (config) => ({
      ...config,
      dataDir: join(config.dataDir, 'cloud'),
      host: hostAddress,
      publicUrl: `http://${hostAddress}:${config.port}`,
      local: { ...config.local, enabled: false },
      gcp,
      timing: { ...config.timing, retryBackoffMs: 1_000, sweepMs: 1_000 },
    }),
    adapt: (spec) => ({
      ...spec,
      command: `node train.mjs --epochs ${epochs}`,
      resources: { ...spec.resources, accelerators: 'L4:1', market: 'spot' },
      env: { PATH: `${programs}:/usr/bin:/bin` },
      workload: { ...spec.workload, epochs },
    }),
    onLine: async (text, job) => {
      isResumed ||= text.startsWith('resumed from ckpt/');
      if (isEvicted || !text.startsWith(evictedAfter)) return;
      isEvicted = true;
      const attempt = (await job()).attempts.at(-1);
      print(`  Google takes ${attempt?.instance} in ${attempt?.offer.zone} back`);
      await ask(`evict ${attempt?.instance}`);
    },
    printStory: async (api, job) => {
      await printEvents(api, job);
      return [...faultsOf(job, isResumed), ...(await printBill(job, ask))];
    },
    close: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.stdin.end();
      await ended;
    },
  };
}

async function printEvents(api: Api, job: Job): Promise<void> {
  title('What happened');
  const { items } = await api.get<{ items: JobEvent[] }>(`/v1/jobs/${job.id}/events?limit=1000`);
  for (const { at, type, message } of items) print(`  ${at.slice(11, 23)}  ${type.padEnd(24)} ${message}`);
}

function faultsOf({ attempts }: Job, isResumed: boolean): string[] {
  const meant = 'preemption in us-central1-a, completed in us-central1-b';
  const came = attempts.map(({ reason, offer }) => `${reason} in ${offer.zone}`).join(', ');
  return [
    ...(came === meant ? [] : [`The attempts were to be: ${meant}. They were: ${came}.`]),
    ...(isResumed ? [] : ['The job did not go on from its checkpoint.']),
  ];
}

/** Between a machine's end and our seeing it. */
const mostApartSeconds = 5;

async function printBill(job: Job, ask: <T>(request: string) => Promise<T>): Promise<string[]> {
  const faults: string[] = [];
  title('The bill, beside what Google counted');
  const rows: string[][] = [];
  for (const { number, instance, offer, costUsd, residualUsd, reason } of job.attempts) {
    const secondsFor = (usd: number) => (usd / offer.hourlyUsd) * 3600;
    const ran = await ask<number>(`seconds ${instance}`);
    const apart = Math.abs(secondsFor(costUsd + residualUsd) - ran);
    if (apart > mostApartSeconds)
      faults.push(`The seconds of attempt ${number} are ${apart.toFixed(1)} from Google's.`);
    rows.push([
      String(number),
      `${offer.zone}, ${offer.market} ${offer.accelerators.kind}`,
      reason ?? '',
      `${secondsFor(costUsd).toFixed(1)} s`,
      `${secondsFor(residualUsd).toFixed(1)} s`,
      `${ran.toFixed(1)} s`,
      formatUsd(costUsd),
    ]);
  }
  table(['attempt', 'where', 'ended by', 'charged', 'residual', 'Google', 'cost'], rows);
  return faults;
}
