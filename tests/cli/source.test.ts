import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commandFromSources, sendJson, serve } from './stub-server.ts';

/** A server that quotes and takes each job, and knows each source already; the specs it was sent. */
async function serveJobs() {
  const jobs: Record<string, unknown>[] = [];
  const quotes: Record<string, unknown>[] = [];
  const url = await serve((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      if (request.url === '/v1/quotes') quotes.push(JSON.parse(body) as Record<string, unknown>);
      if (request.url === '/v1/jobs') jobs.push(JSON.parse(body) as Record<string, unknown>);
      sendJson(response, 201, { id: 'made', uri: 'weir://uploads/made', complete: true });
    });
  });
  return { jobs, quotes, url };
}

test('a home directory does not go along, also where HOME is a link to it', async () => {
  const { jobs, url } = await serveJobs();
  const weir = await commandFromSources({ WEIR_URL: url, WEIR_KEY: 'key' });
  await weir.write('private.txt', 'x');
  await symlink(weir.directory, join(weir.directory, '../home'));
  const given = ['submit', '--yes', '--name', 'a', '--', 'true'];
  const run = await weir.run(given, { env: { HOME: join(weir.directory, '../home') } });
  expect(run).toEqual({ code: 0, stdout: 'made\n', stderr: '' });
  await weir.run(given);
  expect(jobs.map(({ source }) => source)).toEqual([undefined, 'weir://uploads/made']);
});

test('where the rules leave nothing of the directory, that is said, and the job goes without a source', async () => {
  const { jobs, url } = await serveJobs();
  const weir = await commandFromSources({ WEIR_URL: url, WEIR_KEY: 'key' });
  await mkdir(join(weir.directory, 'data'));
  await weir.write('data/x', 'x');
  await weir.write('.weirignore', '*\n');
  const { code, stderr } = await weir.run(['submit', '--yes', '--name', 'a', '--', 'true']);
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: 'No source goes along: .gitignore and .weirignore leave out all files of this directory.\n',
  });
  expect(jobs.map(({ source }) => source)).toEqual([undefined]);
});

test('a source that names no directory goes to the server as it is, for it to refuse; with --no-source none goes', async () => {
  const { jobs, quotes, url } = await serveJobs();
  const weir = await commandFromSources({ WEIR_URL: url, WEIR_KEY: 'key' });
  const given = ['submit', '-', '--yes'];
  for (const source of [5, { dir: 'src' }, null, 'weir://uploads/upl_1'])
    await weir.run(given, { stdin: JSON.stringify({ name: 'a', command: 'true', source }) });
  const sources = [5, { dir: 'src' }, null, 'weir://uploads/upl_1'];
  expect([quotes, jobs].map((specs) => specs.map(({ source }) => source))).toEqual([sources, sources]);
  const upload = { name: 'a', command: 'true', source: 'weir://uploads/upl_1' };
  await weir.run([...given, '--no-source'], { stdin: JSON.stringify(upload) });
  expect([quotes.at(-1)?.['source'], jobs.at(-1)?.['source']]).toEqual([undefined, undefined]);
});
