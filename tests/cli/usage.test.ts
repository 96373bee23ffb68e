import { expect, test } from 'vitest';
import { commandFromSources, sendJson, serve } from './stub-server.ts';

test('a fault of the command line is JSON where --json is ours, and not where it is a word of a job’s command', async () => {
  const weir = await commandFromSources();
  const wrong = await weir.run(['ps', '--jsno', '--json']);
  expect({ ...wrong, stderr: JSON.parse(wrong.stderr) as unknown }).toEqual({
    code: 2,
    stdout: '',
    stderr: expect.objectContaining({ detail: expect.stringContaining('Did you mean --json?') }),
  });
  expect(await weir.run(['quote', '--name', 'a', '--', 'train', '--json'])).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/^weir: You are not signed in\./),
  });
});

test('an argument that is missing is named, with what to type', async () => {
  const weir = await commandFromSources();
  expect(await weir.run(['artifacts', 'get'])).toEqual({
    code: 2,
    stdout: '',
    stderr:
      "weir: missing required argument 'job'\nnext: weir artifacts get <job> [path...], or add --help to see what it takes\n",
  });
});

test('help is a verb too, of the command and of each verb', async () => {
  const weir = await commandFromSources();
  for (const words of [[], ['submit'], ['artifacts', 'get']]) {
    const { code, stdout } = await weir.run(['help', ...words]);
    expect({ code, stdout }).toEqual(
      await weir.run([...words, '--help']).then(({ stdout: help }) => ({ code: 0, stdout: help })),
    );
  }
});

test('an operator’s word for a job that several tenants have is refused, unless its tenant is named', async () => {
  const asked: string[] = [];
  const job = (id: string, tenant: string) => ({ id, tenant, name: 'train', state: 'stopping', message: null });
  const url = await serve(({ url: path = '', method }, response) => {
    asked.push(`${method} ${path}`);
    if (method === 'POST') return sendJson(response, 200, job('job_2', 'tnt_vision'));
    if (path === '/v1/me') return sendJson(response, 200, { tenant: null });
    const tenants = [
      { id: 'tnt_speech', name: 'speech' },
      { id: 'tnt_vision', name: 'vision' },
    ];
    if (path.startsWith('/v1/tenants')) return sendJson(response, 200, { items: tenants, nextCursor: null });
    const jobs = [job('job_1', 'tnt_speech'), job('job_2', 'tnt_vision')];
    const items = path.includes('tenant=tnt_vision') ? jobs.slice(1) : jobs;
    return sendJson(response, 200, { items, nextCursor: null });
  });
  const weir = await commandFromSources({ WEIR_URL: url, WEIR_KEY: 'operator' });
  expect(await weir.run(['cancel', 'train'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--tenant') });
  expect(await weir.run(['cancel', 'train', '--tenant', 'vision'])).toEqual({
    code: 0,
    stdout: 'job_2 is stopping\n',
    stderr: '',
  });
  expect(asked.filter((each) => each.startsWith('POST'))).toEqual(['POST /v1/jobs/job_2/cancel']);
});

test('tables and completion read jobs in short, JSON the whole of them', async () => {
  const asked = new Set<string>();
  const url = await serve(({ url: path = '' }, response) => {
    asked.add(path.replace(/\?.*/, ''));
    sendJson(response, 200, { items: [], nextCursor: null });
  });
  const weir = await commandFromSources({ WEIR_URL: url, WEIR_KEY: 'key' });
  await weir.run(['ps']);
  await weir.run(['complete', '--', 'show', '']);
  expect([...asked]).toEqual(['/v1/jobs/summaries']);
  await weir.run(['ps', '--json']);
  expect([...asked]).toEqual(['/v1/jobs/summaries', '/v1/jobs']);
});

test('an answer that this version can’t read is said to be another version’s, also in a pipe', async () => {
  const url = await serve((_request, response) => {
    response.setHeader('weir-version', '9.0.0');
    sendJson(response, 200, { unheard: 'of' });
  });
  const weir = await commandFromSources({ WEIR_URL: url, WEIR_KEY: 'key' });
  expect(await weir.run(['show', `job_${'0'.repeat(26)}`])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/\nnext: the server is weir 9\.0\.0 and this command /),
  });
});
