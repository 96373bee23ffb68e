import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Job } from '../../src/protocol/job.ts';
import type { Quote } from '../../src/protocol/quote.ts';
import { spec } from '../support/installed-command.ts';
import { test } from './command.ts';

test('a job goes from its spec to its files on disk', async ({ weir }) => {
  await weir.write(
    'job.yaml',
    spec({ command: 'mkdir -p out/sub; echo hi; echo a > out/a; echo b > "out/sub/b c"', outputs: ['out/'] }),
  );
  const submitted = await weir.run(['submit', 'job.yaml', '--yes']);
  expect(submitted).toMatchObject({ code: 0, stderr: '' });
  const id = submitted.stdout.trim();
  expect(id).toMatch(/^job_\w+$/);

  expect(await weir.run(['logs', '-f', id])).toEqual({ code: 0, stdout: 'hi\n', stderr: '' });
  expect((await weir.run(['logs', id])).stdout).toBe('hi\n');
  const [line = ''] = (await weir.run(['logs', id, '--json'])).stdout.split('\n');
  expect(JSON.parse(line)).toMatchObject({ seq: 0, stream: 'stdout', text: 'hi' });

  const listed = await weir.run(['artifacts', 'ls', id]);
  expect(listed.stdout.split('\n').map((row) => row.split('\t')[0])).toEqual(['out/a', 'out/sub/b c', '']);
  expect(await weir.run(['artifacts', 'get', id, '-o', 'got'])).toMatchObject({
    code: 0,
    stdout: 'got/out/a\ngot/out/sub/b c\n',
  });
  expect(await readFile(join(weir.directory, 'got/out/sub/b c'), 'utf8')).toBe('b\n');
  expect((await weir.run(['artifacts', 'get', id, 'out/sub', '--output', 'part'])).stdout).toBe('part/out/sub/b c\n');
  expect(await weir.run(['artifacts', 'get', id, 'nothing'])).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining(`next: weir artifacts ls ${id}`),
  });
});

test('submit --wait shows the log and exits with the job’s own code', async ({ weir }) => {
  const failing = spec({ name: 'seven', command: 'echo one; exit 7' });
  const ended = await weir.run(['submit', '-', '--yes', '--wait'], { stdin: failing });
  expect(ended).toMatchObject({ code: 7, stdout: expect.stringMatching(/^one\n/) });
  expect(ended.stderr).toContain('failed: The command ended with exit code 7.');
  const json = await weir.run(['submit', '-', '--yes', '--wait', '--json'], { stdin: spec({}) });
  expect(json.code).toBe(0);
  expect(JSON.parse(json.stdout)).toMatchObject({ name: 'hello', state: 'succeeded' });
});

test('a directory goes along as the source, less what its ignore files name', async ({ weir }) => {
  await mkdir(join(weir.directory, 'code/cache'), { recursive: true });
  await weir.write('code/main.sh', 'echo from the source; ls -A');
  await weir.write('code/cache/large', 'x');
  await weir.write('code/secret.txt', 'x');
  await weir.write('code/.gitignore', 'cache/\n');
  await weir.write('code/.weirignore', 'secret.*\n');
  const ended = await weir.run(['submit', '-', '--yes', '--wait', '--source', 'code'], {
    stdin: spec({ command: 'sh main.sh' }),
  });
  expect(ended.code).toBe(0);
  expect(ended.stdout.trim().split('\n')).toEqual(expect.arrayContaining(['from the source', 'main.sh']));
  expect(ended.stdout).not.toMatch(/cache|secret\.txt/);
});

test('an upload is named by what it prints', async ({ weir }) => {
  await weir.write('data.txt', 'from the upload\n');
  const { stdout: uri, code } = await weir.run(['upload', 'data.txt']);
  expect(code).toBe(0);
  expect(uri).toMatch(/^weir:\/\/uploads\/upl_\w+\n$/);
  const reading = spec({ command: 'cat in/data.txt', inputs: [{ uri: uri.trim(), path: 'in/data.txt' }] });
  expect(await weir.run(['submit', '-', '--yes', '--wait'], { stdin: reading })).toMatchObject({
    code: 0,
    stdout: 'from the upload\n',
  });
});

test('a quote is a row an option, or the API’s own answer', async ({ weir }) => {
  await weir.write('job.yaml', spec({ workload: { expectedDuration: '10s' } }));
  const { stdout, code } = await weir.run(['quote', 'job.yaml']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^→\t1 core\tlocal\t/);
  const quote = JSON.parse((await weir.run(['quote', 'job.yaml', '--json'])).stdout) as Quote;
  expect(quote.options.map(({ id }) => id)).toContain(quote.recommended);
});

test('jobs are listed, shown, explained and cancelled, by id or by name', async ({ weir, vision }) => {
  const waiting = spec({ name: 'long', command: 'sleep 600', maxDuration: '1h' });
  const { stdout } = await weir.run(['submit', '-', '--yes', '--json'], { stdin: waiting });
  const { id } = JSON.parse(stdout) as Job;
  await vision.until(id, ['running']);
  const rows = (await weir.run(['ps', '--name', 'long'])).stdout.trim().split('\n');
  expect(rows.map((row) => row.split('\t').slice(0, 3))).toEqual([[id, 'long', 'running']]);
  expect((await weir.run(['ps', '--state', 'queued', '--json'])).stdout).toBe('{"items":[],"nextCursor":null}\n');
  expect((await weir.run(['show', 'long'])).stdout).toMatch(new RegExp(`^job\t${id}\nname\tlong\n`));
  expect(JSON.parse((await weir.run(['why', id, '--json'])).stdout)).toMatchObject({ state: 'running', waiting: null });
  expect(await weir.run(['cancel', 'long'])).toMatchObject({ code: 0, stdout: expect.stringContaining(id) });
  await vision.until(id, ['cancelled']);
});

test('an array is waited for, shown, and its tasks listed', async ({ weir }) => {
  const sweep = spec({ name: 'sweep', command: 'test $WEIR_ARRAY_INDEX -lt 2', array: { count: 3 } });
  expect((await weir.run(['submit', '-', '--yes', '--wait'], { stdin: sweep })).code).toBe(1);
  expect((await weir.run(['show', 'sweep'])).stdout).toMatch(/^tasks\t3: 2 succeeded, 1 failed$/m);
  const tasks = async (name: string) =>
    (await weir.run(['ps', '--array', name])).stdout
      .trim()
      .split('\n')
      .map((row) => row.split('\t'));
  expect((await tasks('sweep')).map(([index, , state]) => [index, state])).toEqual([
    ['0', 'succeeded'],
    ['1', 'succeeded'],
    ['2', 'failed'],
  ]);
  const long = spec({ name: 'first', command: 'sleep 600' });
  const waiting = (await weir.run(['submit', '-', '--yes'], { stdin: long })).stdout.trim();
  const later = spec({ name: 'later', array: { count: 2 }, dependsOn: [{ job: waiting, on: 'success' }] });
  const { stdout: array } = await weir.run(['submit', '-', '--yes'], { stdin: later });
  expect((await tasks('later')).map(([, job, state]) => [job, state])).toEqual(Array(2).fill(['', 'queued']));
  for (const job of [array.trim(), waiting]) await weir.run(['cancel', job]);
});

test('what a job waits for is said, with what would let it start', async ({ weir, operator, vision }) => {
  await operator.write('policy.yaml', 'caps: { runningJobs: 1 }\n');
  expect((await operator.run(['policy', 'set', 'policy.yaml', '--tenant', 'vision'])).code).toBe(0);
  const long = spec({ name: 'long', command: 'sleep 600' });
  const [first, second] = [
    await weir.run(['submit', '-', '--yes'], { stdin: long }),
    await weir.run(['submit', '-', '--yes'], { stdin: long }),
  ];
  await vision.until(first.stdout.trim(), ['running']);
  const id = second.stdout.trim();
  const { stdout } = await weir.run(['why', id]);
  expect(stdout).toMatch(/^state\tqueued/);
  expect(stdout).toMatch(/^cap\t[^\t]+\t[^\t]+$/m);
  for (const job of [id, first.stdout.trim()]) await weir.run(['cancel', job]);
  await vision.until(first.stdout.trim(), ['cancelled']);
  await operator.run(['policy', 'set', '-', '--tenant', 'vision'], { stdin: '{}' });
});

test('quote --pilot says how the pilot goes on stderr, and then prints the quote as it was measured', async ({
  weir,
}) => {
  const command = 'for i in $(seq 1 30); do echo "weir progress $i/30 steps"; sleep 0.1; done';
  await weir.write('pilot.yaml', spec({ name: 'steps', command, workload: { expectedDuration: '1h' } }));
  const { code, stdout, stderr } = await weir.run(['quote', 'pilot.yaml', '--pilot', '--json']);
  expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringMatching(/^Pilot job_\w+: /) });
  const quote = JSON.parse(stdout) as Quote;
  expect(quote).toMatchObject({ workload: { basis: 'pilot' }, pilot: { state: 'done' } });
  expect(stderr).toContain(quote.pilot?.message);
  expect(quote.options.find(({ id }) => id === quote.recommended)?.durationSeconds.p50).toBeLessThan(60);
});

test('a spec may be flags and a command, which come before a file’s fields', async ({ weir, vision }) => {
  const flags = ['--cpus', '1', '--memory', '1', '--disk', '1', '--max-duration', '1m', '--env', 'WHO=flags=all'];
  const words = [
    'submit',
    '--yes',
    '--wait',
    '--name',
    'flagged',
    ...flags,
    '--set',
    'labels.team=a',
    '--',
    'sh',
    '-c',
  ];
  expect(await weir.run([...words, 'echo from $WHO "$0"', 'two words'])).toMatchObject({
    code: 0,
    stdout: 'from flags=all two words\n',
  });
  await weir.write(
    'job.yaml',
    spec({ name: 'filed', env: { A: '1' }, resources: { cpus: 1, memoryGiB: 1, diskGiB: 1 } }),
  );
  const { stdout } = await weir.run(['submit', 'job.yaml', '--yes', '--json', '--name', 'over', '--memory', '2']);
  const { id, spec: sent } = JSON.parse(stdout) as Job;
  expect(sent).toMatchObject({ name: 'over', env: { A: '1' }, resources: { cpus: 1, memoryGiB: 2 } });
  await vision.until(id, ['succeeded']);
});

test('the directory we are in goes along, and only once; not with --no-source, nor where the spec names another', async ({
  weir,
  vision,
}) => {
  await mkdir(join(weir.directory, 'other'));
  await weir.write('main.sh', 'echo here');
  await weir.write('other/main.sh', 'echo there');
  const job = spec({ name: 'source', command: 'sh main.sh' });
  const submitted = async (given: string[], stdin = job) =>
    JSON.parse((await weir.run(['submit', '-', '--yes', '--wait', '--json', ...given], { stdin })).stdout) as Job;
  const [first, again] = [await submitted([]), await submitted([])];
  expect([first.state, again.spec.source]).toEqual(['succeeded', first.spec.source]);
  const named = await submitted([], spec({ name: 'source', command: 'sh main.sh', source: './other' }));
  expect((await vision.log(named.id)).map(({ text }) => text)).toEqual(['there']);
  const without = await submitted(['--no-source']);
  expect([without.spec.source, without.state]).toEqual([undefined, 'failed']);
  await weir.write('data.bin', 'some bytes');
  const sent = async () =>
    JSON.parse((await weir.run(['upload', 'data.bin', '--json'])).stdout) as { wasThere: boolean };
  expect([(await sent()).wasThere, (await sent()).wasThere]).toEqual([false, true]);
});

test('a quote is submitted as it was made, and shown again by its id', async ({ weir, vision }) => {
  await weir.write('job.yaml', spec({ name: 'kept' }));
  const quote = JSON.parse((await weir.run(['quote', 'job.yaml', '--json'])).stdout) as Quote;
  expect(JSON.parse((await weir.run(['quote', quote.id, '--json'])).stdout)).toEqual(quote);
  const { stdout } = await weir.run(['submit', 'job.yaml', '--quote', quote.id, '--yes', '--json']);
  const { id, quote: held, spec: sent } = JSON.parse(stdout) as Job;
  expect(held?.id).toBe(quote.id);
  expect(sent.source).toMatch(/^weir:/);
  await vision.until(id, ['succeeded']);
  expect(await weir.run(['submit', 'job.yaml', '--quote', quote.id, '--yes', '--priority', '9'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('  --priority: This differs from the quoted spec.'),
  });
});

test('events tell what happened; a look at the pool is one object, or one screen', async ({ weir }) => {
  await weir.run(['submit', '-', '--yes', '--wait'], { stdin: spec({ name: 'told' }) });
  const rows = (await weir.run(['events', 'told'])).stdout
    .trim()
    .split('\n')
    .map((row) => row.split('\t')[1]);
  expect(rows.filter((type) => type?.startsWith('job.'))).toEqual(
    ['queued', 'provisioning', 'running', 'stopping', 'succeeded'].map((state) => `job.${state}`),
  );
  expect((await weir.run(['events', '-f', 'told'])).stdout.trim().split('\n')).toHaveLength(rows.length);
  expect(JSON.parse((await weir.run(['top', '--json'])).stdout)).toMatchObject({
    counts: { queued: expect.any(Number) },
  });
  const screen = (await weir.run(['top'])).stdout;
  expect(screen).toMatch(/^weir top +127\.0\.0\.1:\d+ +vision, admin/);
  expect(screen).toContain('told');
  expect(screen).not.toContain('\u001b');
});

test('completion is asked for word by word, and knows the jobs there are', async ({ weir }) => {
  await weir.run(['submit', '-', '--yes', '--wait'], { stdin: spec({ name: 'tabbed' }) });
  const asked = async (...words: string[]) => (await weir.run(['complete', '--', ...words])).stdout.split('\n');
  expect(await asked('sub')).toEqual(['submit\tquote a job, ask, send its source and submit it', '']);
  expect((await asked('show', ''))[0]).toMatch(/^job_\w+\ttabbed, succeeded$/);
  expect(await asked('submit', 'job')).toEqual([':files', '']);
  expect(await asked('ps', '--state=fa')).toEqual(['--state=failed\t', '']);
  expect(await asked('ps', '--state', '=', 'fa')).toEqual(['failed\t', '']);
  for (const shell of ['bash', 'zsh', 'fish'])
    expect((await weir.run(['completion', shell])).stdout).toContain('weir complete -- ');
});
