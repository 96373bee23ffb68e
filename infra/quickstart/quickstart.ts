import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { create as createTar } from 'tar';
import { parse as parseYaml } from 'yaml';
import { ConfigError, configExitCode, loadConfig, type Config } from '../../src/config.ts';
import { listenForStop, startService } from '../../src/main.ts';
import type { Artifact, Job, LogLine, Upload } from '../../src/protocol/job.ts';
import type { JobSpec } from '../../src/protocol/job-spec.ts';
import type { Quote } from '../../src/protocol/quote.ts';
import type { Shares } from '../../src/protocol/share.ts';
import type { Tenant } from '../../src/protocol/tenant.ts';
import { createApi, type Api } from './api.ts';
import { startEmulatedCloud, type EmulatedCloud } from './cloud.ts';
import { faint, print, printArtifacts, printCost, printQuote, printShares, progressLine, title } from './screen.ts';

const example = join(import.meta.dirname, '../examples/digits-mlp');
const tenantNames = ['vision-lab', 'language-lab'];

/** What a shell makes of SIGINT. */
const interruptedExitCode = 130;

type Options = { isOnce: boolean; isCloud: boolean };

/**
 * Everything in one process, used as a team would use it: over HTTP. `--once` leaves after the job has ended. `--cloud` runs it on
 * spot machines of an emulated Google Cloud, which takes the first one back.
 */
async function main({ isOnce, isCloud }: Options): Promise<number> {
  const configured = await withFreePort(loadConfig(process.env));
  if (!isCloud) return run(configured, isOnce, undefined);
  const cloud = await startEmulatedCloud();
  try {
    return await run(cloud.configure(configured), isOnce, cloud);
  } finally {
    await cloud.close();
  }
}

async function run(config: Config, isOnce: boolean, cloud: EmulatedCloud | undefined): Promise<number> {
  const askedToStop = listenForStop();
  const stoppedCode = isOnce ? interruptedExitCode : 0;
  title('Starting weir');
  const tell = (error: unknown) => print(faint(`  ${error instanceof Error ? error.message : String(error)}`));
  const service = await startService(config, 'both', tell, { askedToStop });
  if (service === undefined) return stoppedCode;
  try {
    for (const notice of service.notices) print(`  ${notice}`);
    print(`  API and worker are up at ${config.publicUrl}, data in ${config.dataDir}`);
    const stop = untilAborted(askedToStop);
    const faults = await Promise.race([stop, runSample(config, cloud)]);
    if (faults === undefined) return stoppedCode;
    if (isOnce) return faults.length === 0 ? 0 : 1;
    printHowToGoOn(config);
    await stop;
    return 0;
  } finally {
    await service.close();
  }
}

async function untilAborted(signal: AbortSignal): Promise<undefined> {
  if (!signal.aborted) await once(signal, 'abort');
}

/** Answers what did not come as it was meant to. */
async function runSample(config: Config, cloud: EmulatedCloud | undefined): Promise<string[]> {
  const operator = createApi(config.publicUrl, config.operatorKey);
  const api = createApi(config.publicUrl, await keyOfFirstTenant(config, operator));

  title('Quote for infra/examples/digits-mlp: a 784-64-10 network on handwritten digits');
  const sample: JobSpec = {
    ...parseYaml(await readFile(join(example, 'job.yaml'), 'utf8')),
    source: await uploadExample(api),
  };
  const spec = cloud?.adapt(sample) ?? sample;
  const quote = await api.post<Quote>('/v1/quotes', spec);
  printQuote(quote);

  const submitted = await api.post<Job>('/v1/jobs', { ...spec, quoteId: quote.id });
  title(`Job ${submitted.id}`);
  await followLog(api, submitted.id, cloud);
  const job = await untilEnded(api, submitted.id);
  print(`  ${job.state}: ${job.message}`);

  title('Artifacts');
  printArtifacts((await api.get<{ items: Artifact[] }>(`/v1/jobs/${job.id}/artifacts`)).items);
  const faults = job.state === 'succeeded' ? [] : [`The job ${job.state}: ${job.message}`];
  faults.push(...((await cloud?.printStory(api, job)) ?? []));
  title('Cost against quote');
  printCost(job);
  title('Who holds the compute (last 30 days)');
  printShares(await operator.get<Shares>('/v1/shares?window=30d'));
  printWhereToLook(config);
  for (const fault of faults) print(`  ${fault}`);
  return faults;
}

/** The tenants are made at the first start and found again at the next; the key is kept beside the operator's. */
async function keyOfFirstTenant({ dataDir }: Config, operator: Api): Promise<string> {
  const keyPath = join(dataDir, 'quickstart.key');
  const { items: known } = await operator.get<{ items: Tenant[] }>('/v1/tenants?limit=1000');
  const tenants: Tenant[] = [];
  for (const name of tenantNames)
    tenants.push(
      known.find((tenant) => tenant.name === name) ?? (await operator.post<Tenant>('/v1/tenants', { name })),
    );
  const kept = await readFile(keyPath, 'utf8').catch(() => undefined);
  if (kept !== undefined) {
    const { items: jobs } = await operator.get<{ items: Job[] }>('/v1/jobs?limit=1000');
    print(
      `  Found the data of an earlier start again; jobs so far: ${jobs.length === 1000 ? '1000 or more' : jobs.length}.`,
    );
    return kept.trim();
  }
  const { key } = await operator.post<{ key: string }>(`/v1/tenants/${tenants[0]?.id}/keys`, {
    role: 'admin',
    label: 'quickstart',
  });
  await writeFile(keyPath, `${key}\n`, { mode: 0o600 });
  print(`  Made the tenants ${tenantNames.join(' and ')}; the key of the first is in ${keyPath}`);
  return key;
}

async function uploadExample(api: Api): Promise<string> {
  const archive = createTar({ gzip: true, cwd: example, portable: true }, ['.']);
  const bytes = Buffer.concat(await Array.fromAsync(archive as AsyncIterable<Buffer>));
  const upload = await api.post<Upload>('/v1/uploads', { name: 'digits-mlp.tar.gz', sizeBytes: bytes.length });
  const response = await fetch(upload.url, { method: upload.method, headers: upload.headers, body: bytes });
  if (!response.ok) throw new Error(`The upload answered ${response.status}: ${await response.text()}`);
  return upload.uri;
}

/** Log lines as they come; on a terminal the progress stays below them. */
async function followLog(api: Api, jobId: string, cloud: EmulatedCloud | undefined): Promise<void> {
  const isTerminal = process.stdout.isTTY;
  const showProgress = async () => {
    const line = progressLine(await api.get<Job>(`/v1/jobs/${jobId}`));
    if (line !== undefined) process.stdout.write(`\r\u001b[2K  ${line}`);
  };
  const timer = isTerminal ? setInterval(() => void showProgress().catch(() => undefined), 500) : undefined;
  for await (const { event, data } of api.follow(`/v1/jobs/${jobId}/logs`)) {
    if (event === 'end') break;
    const { stream, text } = JSON.parse(data) as LogLine;
    if (text.startsWith('weir progress')) continue;
    print(`${isTerminal ? '\r\u001b[2K' : ''}  ${faint(stream.padEnd(6))} ${text}`);
    await cloud?.onLine(text, () => api.get<Job>(`/v1/jobs/${jobId}`));
  }
  clearInterval(timer);
  if (isTerminal) process.stdout.write('\r\u001b[2K');
}

/** The log ends with the last line; the job when its machine is gone and its accounts are closed. */
async function untilEnded(api: Api, jobId: string): Promise<Job> {
  for await (const { event } of api.follow(`/v1/jobs/${jobId}/events`)) if (event === 'end') break;
  return api.get<Job>(`/v1/jobs/${jobId}`);
}

function printWhereToLook({ publicUrl, dataDir }: Config): void {
  title('Where to look');
  print(`  dashboard       ${publicUrl}/`);
  print(`  operator key    ${join(dataDir, 'operator.key')}`);
}

function printHowToGoOn({ publicUrl, dataDir }: Config): void {
  title('weir stays up; Ctrl-C stops it');
  print(`  API reference   ${publicUrl}/docs`);
  print(
    `  try             curl -H "Authorization: Bearer $(cat ${join(dataDir, 'operator.key')})" ${publicUrl}/v1/shares`,
  );
  print(`  or              npx weir login --server ${publicUrl} < ${join(dataDir, 'quickstart.key')} && npx weir ps`);
}

/** Where nobody named a port and 8080 is taken, any free one will do for a first look. */
async function withFreePort(config: Config): Promise<Config> {
  if (process.env['WEIR_PORT'] !== undefined || (await canListen(config.host, config.port))) return config;
  const port = await freePort(config.host);
  return { ...config, port, publicUrl: `http://${config.host}:${port}` };
}

function canListen(host: string, port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false)).listen(port, host, () => server.close(() => resolve(true)));
  });
}

function freePort(host: string): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(0, host, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

try {
  process.exit(await main({ isOnce: process.argv.includes('--once'), isCloud: process.argv.includes('--cloud') }));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof ConfigError ? configExitCode : 1);
}
