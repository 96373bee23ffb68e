import { expect } from 'vitest';
import { spec } from '../support/installed-command.ts';
import { test } from './command.ts';

test('every fault of a spec is shown at its line, with the word that was meant, before anything is packed or asked', async ({
  weir,
  installation: { operator },
}) => {
  await weir.write('job.yaml', 'name: hello there\ncomand: echo\nresources:\n  accelerators: H1000:8\n');
  for (const given of [
    ['quote', 'job.yaml'],
    ['submit', 'job.yaml'],
    ['submit', 'job.yaml', '--yes'],
  ]) {
    const { code, stdout, stderr } = await weir.run(given);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('job.yaml:1:7 /name: ');
    expect(stderr).toMatch(/job\.yaml:2:9 \/comand: .*Did you mean "command"\?/);
    expect(stderr).toMatch(/job\.yaml:4:17 \/resources\/accelerators: .*H100:8/);
    expect(stderr).toContain('/command: This is required.');
  }
  const { body: metrics } = await operator.call('GET', '/metrics');
  expect(metrics).toContain('route="/v1/quotes"');
  expect(metrics).not.toContain('route="/v1/uploads"');
});

test('as JSON, a problem is the server’s own, on stderr', async ({ weir }) => {
  const { code, stdout, stderr } = await weir.run(['quote', '-', '--json'], { stdin: '{"name": "a"}' });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(JSON.parse(stderr)).toMatchObject({ status: 400, errors: [{ pointer: '/command' }] });
});

test('a job that can never start says why and where to look', async ({ weir }) => {
  const large = spec({ resources: { accelerators: 'H100:8' } });
  const { code, stderr } = await weir.run(['submit', '-', '--yes'], { stdin: large });
  expect(code).toBe(1);
  expect(stderr).toMatch(/No offer can run this job/);
  expect(stderr).toContain('next: weir offers');
});

test('a file that is no spec is the user’s to mend: exit code 2', async ({ weir }) => {
  await weir.write('broken.yaml', 'name: [a\ncommand: b\n');
  const broken = await weir.run(['quote', 'broken.yaml']);
  expect(broken).toMatchObject({ code: 2, stderr: expect.stringContaining('broken.yaml:2:1: ') });
  expect(await weir.run(['quote', 'nowhere.yaml'])).toMatchObject({
    code: 2,
    stderr: 'weir: There is no file nowhere.yaml.\n',
  });
  expect(await weir.run(['quote', '-'], { stdin: 'hello' })).toMatchObject({ code: 2 });
});

test('a command line that can’t be understood is answered with the nearest verb, flag or choice: exit code 2', async ({
  weir,
}) => {
  expect(await weir.run(['sumbit'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Did you mean submit?'),
  });
  expect(await weir.run(['ps', '--jsno'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Did you mean --json?'),
  });
  expect(await weir.run(['ps', '--state', 'lost'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('succeeded'),
  });
  expect(await weir.run(['ps', '--limit', '0'])).toMatchObject({ code: 2 });
  expect(await weir.run(['submit', '-'], { stdin: spec({}) })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('next: weir submit - --yes'),
  });
});

test('what is not there is named, with the verb that lists what is', async ({ weir, operator }) => {
  const lost = 'job_01h455vb4pex5vsknk084sn02q';
  expect(await weir.run(['show', lost])).toEqual({
    code: 1,
    stdout: '',
    stderr: `weir: There is no job ${lost}.\nnext: weir ps shows the jobs there are\n`,
  });
  expect(await weir.run(['logs', '-f', lost])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('There is no job'),
  });
  expect(await weir.run(['show', 'nameless'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('next: weir ps'),
  });
  expect(await operator.run(['statement', '--tenant', 'nobody'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('next: weir tenants ls'),
  });
  expect(await operator.run(['statement'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--tenant') });
  expect(await weir.run(['tenants', 'create', 'other'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('operator'),
  });
});

test('a fault of a flag is shown at the flag', async ({ weir }) => {
  const given = [
    'submit',
    '--yes',
    '--no-source',
    '--accelerators',
    'H1000:8',
    '--cpus',
    'two',
    '--set',
    'workload.epoch=1',
  ];
  const { code, stderr } = await weir.run([...given, '--', 'true']);
  expect(code).toBe(1);
  expect(stderr).toMatch(/  --accelerators: .*H100:8/);
  expect(stderr).toContain('  --cpus: This must be a number, not "two".');
  expect(stderr).toMatch(/  --set workload\.epoch: .*Did you mean "epochs"\?/);
  expect(stderr).toContain('  --name: This is required.');
  expect(await weir.run(['ps', '--array', `job_${'z'.repeat(26)}`])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('There is no job'),
  });
  expect(await weir.run(['quote'])).toMatchObject({ code: 2, stderr: expect.stringContaining('next: weir quote ') });
  expect(await weir.run(['quote', 'a.yaml', 'b.yaml'])).toMatchObject({ code: 2 });
  expect(await weir.run(['quote', '--set', 'name'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--set name'),
  });
});
