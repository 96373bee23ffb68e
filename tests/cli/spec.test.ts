import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { Failure } from '../../infra/cli/failure.ts';
import { readSpec } from '../../infra/cli/spec-file.ts';
import { tableLines } from '../../infra/cli/table.ts';
import { commandFromSources, sendJson, serve } from './stub-server.ts';

async function file(yaml: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'weir-spec-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, 'job.yaml');
  await writeFile(path, yaml);
  return path;
}

test('an alias that has no anchor is a fault of the file, at its place, with what was probably meant', async () => {
  const path = await file('name: a\noutputs: [*.pt, "*.log"]\n');
  await expect(readSpec({ path, command: [] }, {})).rejects.toMatchObject({
    exitCode: 2,
    faults: [{ pointer: `${path}:2:11`, detail: expect.stringContaining('Write "*.pt".') }],
  });
  const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]'];
  for (const [above, name] of ['ab', 'bc', 'cd', 'de', 'ef'].map((pair) => pair.split('')))
    bomb.push(`${name}: &${name} [${Array(9).fill(`*${above}`).join(', ')}]`);
  await expect(readSpec({ path: await file(bomb.join('\n')), command: [] }, {})).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringContaining('is not valid YAML'),
  });
});

test('pairs of flags are merged into the file’s, lists appended, and choices put in their place', async () => {
  const path = await file(
    'env: { SEED: "1", A: a }\nlabels: { team: x }\noutputs: [out/]\nsecrets: [ONE]\nresources: { regions: [r1] }\n',
  );
  const given = {
    env: ['SEED=2', 'B/C=b=b'],
    label: ['run=7'],
    output: ['logs/', 'more/'],
    secret: ['TWO'],
    region: ['r2'],
    after: ['job_1'],
  };
  const { value, placing } = await readSpec({ path, command: [] }, given);
  expect(value).toEqual({
    env: { SEED: '2', A: 'a', 'B/C': 'b=b' },
    labels: { team: 'x', run: '7' },
    outputs: ['out/', 'logs/', 'more/'],
    secrets: ['ONE', 'TWO'],
    resources: { regions: ['r2'] },
    dependsOn: [{ job: 'job_1' }],
  });

  const pointers = ['/env/SEED', '/env/A', '/env/B~1C', '/outputs/0', '/outputs/2', '/dependsOn/0/job'];
  const faults = pointers.map((pointer) => ({ pointer, detail: 'wrong' }));
  const refused = placing(() => Promise.reject(new Failure('refused', { faults })));
  const placed = await refused.catch((error: Failure) =>
    error.faults.map(({ pointer }) => pointer.replace(path, 'job')),
  );
  expect(placed).toEqual(['--env', 'job:1:22 /env/A', '--env', 'job:3:11 /outputs/0', '--output', '--after']);
});

test('a job is waited for by its id or by its name, which may begin as an id does', async () => {
  const bodies: { dependsOn?: unknown }[] = [];
  const url = await serve(async (request, response) => {
    if (request.method === 'GET') {
      const name = new URL(request.url ?? '', url).searchParams.get('name');
      return sendJson(response, 200, { items: [{ id: `id-of-${name}` }], nextCursor: null });
    }
    bodies.push(JSON.parse(await text(request)) as object);
    return sendJson(response, 201, { id: 'made' });
  });
  const weir = await commandFromSources({ WEIR_URL: url, WEIR_KEY: 'key' });
  const id = 'job_01h455vb4pex5vsknk084sn02q';
  const after = [id, 'preprocess', 'job_preprocess'].flatMap((job) => ['--after', job]);
  const given = ['submit', '--yes', '--no-source', '--name', 'a', ...after, '--', 'true'];
  expect(await weir.run(given)).toMatchObject({ code: 0, stderr: '' });
  const waitedFor = [id, 'id-of-preprocess', 'id-of-job_preprocess'].map((job) => ({ job }));
  expect(bodies.map(({ dependsOn }) => dependsOn)).toEqual([waitedFor, waitedFor]);
});

test('a table may have as many rows as a pool has had jobs', () => {
  const rows = Array.from({ length: 150_000 }, (_none, index) => [`job_${index}`]);
  expect(tableLines(['job'], rows, 80).at(-1)).toBe('job_149999');
});
