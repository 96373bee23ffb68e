import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { create } from 'tar';
import { expect, onTestFinished, test } from 'vitest';
import type { Assignment } from '../../src/protocol/runner.ts';
import { assignmentOf, startFakeBroker, type FakeBroker } from '../support/fake-broker.ts';
import { reportOf, startRunner, type RunnerProcess } from '../support/runner-process.ts';

async function start(
  assignment: Partial<Assignment>,
  files: Record<string, Buffer> = {},
): Promise<{ broker: FakeBroker; runner: RunnerProcess }> {
  const broker = await startFakeBroker(assignmentOf(assignment));
  onTestFinished(broker.goAway);
  for (const [name, bytes] of Object.entries(files)) broker.files.set(name, bytes);
  return { broker, runner: await startRunner(broker.url()) };
}

async function run(assignment: Partial<Assignment>, files: Record<string, Buffer> = {}) {
  const { broker, runner } = await start(assignment, files);
  return { broker, report: await reportOf(broker, runner) };
}

const file = (name: string, path: string, bytes?: Buffer) => ({
  url: `/files/${name}`,
  path,
  sha256: bytes === undefined ? null : sha256(bytes),
  sizeBytes: null,
});

test('source, files, inputs and the last checkpoint lie in the working directory', async () => {
  const source = archive({ 'train.sh': 'cat conf.txt data/a.txt ckpt/last', 'conf.txt': 'old' });
  const data = Buffer.from('input\n');
  const { broker, report } = await run(
    {
      spec: { name: 'a', command: 'sh train.sh', files: { 'conf.txt': 'conf\n' } },
      source: file('source', '', source),
      inputs: [file('data', 'data/a.txt', data)],
      checkpoint: [file('last', 'ckpt/last')],
    },
    { source, data, last: Buffer.from('epoch 3\n') },
  );
  expect(report.message).toMatch(/exit code 0/);
  expect(broker.texts('o')).toEqual(['conf', 'input', 'epoch 3']);
});

test('an input that is not there is named with what the server said', async () => {
  const uri = 'weir://uploads/upl_gone';
  const { report } = await run({
    spec: { name: 'a', command: 'true', inputs: [{ uri, path: 'x' }] },
    inputs: [file('gone', 'x')],
  });
  expect(report.reason).toBe('input-unavailable');
  expect(report.message).toContain(uri);
  expect(report.message).toContain('HTTP 404');
});

test('a checkpoint that the storage does not give is the service’s fault, not the job’s', async () => {
  const { report } = await run({ checkpoint: [file('refused', 'ckpt/last')] });
  expect(report).toMatchObject({
    reason: 'storage-refused',
    message: expect.stringMatching(
      /^The checkpoint file ckpt\/last can't be fetched: the storage of this service answered HTTP 404/,
    ),
  });
});

test('an input from a machine that is not there is given up after a few tries', async () => {
  const uri = 'http://127.0.0.1:1/x';
  const { report } = await run({
    spec: { name: 'a', command: 'true', inputs: [{ uri, path: 'x' }] },
    inputs: [{ url: uri, path: 'x', sha256: null, sizeBytes: null }],
  });
  expect(report).toMatchObject({ reason: 'input-unavailable' });
  expect(report.message).toMatch(/ECONNREFUSED/);
});

test.each(['http://169.254.169.254/computeMetadata/v1/', 'http://[fd00:ec2::254]/latest', 'http://2852039166/'])(
  'the metadata address %s is no input',
  async (url) => {
    const { report } = await run({ inputs: [{ url, path: 'x', sha256: null, sizeBytes: null }] });
    expect(report.reason).toBe('input-unavailable');
    expect(report.message).toMatch(/metadata address/);
  },
);

test.each([
  ['a file where a folder would have to be', 'src/train.py'],
  ['a folder of its name', 'lib'],
  ['a name that no file system takes', `${'x'.repeat(256)}.py`],
])('a file of the spec that meets %s is the job’s fault', async (_what, path) => {
  const source = archive({ src: 'a file', 'lib/a.py': '' });
  const { report } = await run(
    { spec: { name: 'a', command: 'true', files: { [path]: 'x' } }, source: file('source', '', source) },
    { source },
  );
  expect(report).toMatchObject({ reason: 'source-unavailable', exitCode: null });
  expect(report.message).toMatch(`The file ${path} of \`files\` can't be written: `);
});

test.each([
  ['inputs', { inputs: [file('half', 'x'), file('half', 'y')] }],
  ['a source, once unpacked,', { source: file('bomb', '') }],
])('%s beyond the job’s disk end it before they fill the machine’s', async (_what, assignment) => {
  const bomb = archive({ zeros: Buffer.alloc(4_000_000), 'after.txt': 'x' });
  expect(bomb.length).toBeLessThan(100_000);
  const limits = { cpus: 1, memoryBytes: 1e9, diskBytes: 1_500_000, gpus: [] };
  const { report } = await run({ ...assignment, limits }, { half: Buffer.alloc(1_000_000), bomb });
  expect(report).toMatchObject({ reason: 'disk-full', message: expect.stringContaining('resources.diskGiB') });
});

test('what an archive took until it was unpacked is free again', async () => {
  const source = archive({ 'a.bin': randomBytes(1_000_000) });
  const limits = { cpus: 1, memoryBytes: 1e9, diskBytes: 2_500_000, gpus: [] };
  const { report } = await run(
    { source: file('source', ''), inputs: [file('data', 'b.bin')], limits },
    { source, data: Buffer.alloc(1_200_000) },
  );
  expect(report.reason).toBe('completed');
});

test('a source that is no archive is refused', async () => {
  const { report } = await run(
    { source: file('source', '') },
    { source: Buffer.from('this is no archive '.repeat(100)) },
  );
  expect(report.reason).toBe('source-unavailable');
});

test.each([
  ['an input', (declared: object) => ({ inputs: [{ ...file('data', 'x'), ...declared }] }), 'input-unavailable'],
  ['a source', (declared: object) => ({ source: { ...file('data', ''), ...declared } }), 'source-unavailable'],
] as const)('%s of another checksum than declared ends the job, which is told both', async (_what, named, reason) => {
  const [data, declared] = [Buffer.from('wrong'), sha256(Buffer.from('right'))];
  const uri = 'weir://uploads/upl_1';
  const spec = { name: 'a', command: 'true', source: uri, inputs: [{ uri, path: 'x' }] };
  const { report } = await run({ spec, ...named({ sha256: declared }) }, { data });
  expect(report.reason).toBe(reason);
  for (const part of [uri, sha256(data), declared, 'upload it again']) expect(report.message).toContain(part);
});

test('a broker that is away is waited for', async () => {
  const data = Buffer.from('right');
  const { broker, runner } = await start({ spec: { name: 'a', command: 'cat x' }, inputs: [file('data', 'x', data)] });
  broker.files.set('data', data);
  for (let times = 0; times < 8; times++) broker.misbehave({ path: '/files/', dropsAnswer: true });
  await reportOf(broker, runner);
  expect(broker.texts('o')).toEqual(['right']);
});

test('nothing is written through links that an archive holds', async () => {
  const outside = temporary();
  const directory = temporary();
  symlinkSync(outside, join(directory, 'data'));
  const source = pack(directory);
  const { report } = await run(
    { spec: { name: 'a', command: 'true', files: { 'data/x': 'evil' } }, source: file('source', '') },
    { source },
  );
  expect(report.reason).toBe('source-unavailable');
  expect(report.message).toMatch(/link/);
});

function archive(files: Record<string, string | Buffer>): Buffer {
  const directory = temporary();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return pack(directory);
}

function pack(directory: string): Buffer {
  return create({ cwd: directory, gzip: true, sync: true }, ['.']).read() as Buffer;
}

function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'weir-prepare-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
