import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { commandFromSources, sendJson, serve } from '../cli/stub-server.ts';
import { quoteOf, waresWithGpus } from '../quotes/sample.ts';

const folder = join(import.meta.dirname, '../../infra/examples/github-actions');

type Quoting = { env: Record<string, string>; steps: { run?: string }[] };

const comment = (quote: unknown) =>
  execFileSync(process.execPath, [join(folder, 'comment.mjs'), 'train/job.yaml'], {
    input: JSON.stringify(quote),
  }).toString();

test('a quote becomes a table with the recommended machine first', () => {
  const quote = quoteOf(
    { workload: { preset: 'gpt2-124m', tokens: 1e8 }, resources: { accelerators: 'L4:1' } },
    {
      wares: waresWithGpus('L4'),
    },
  );
  const lines = comment(quote).split('\n');
  expect(lines.slice(0, 4)).toEqual([
    '### train/job.yaml',
    '',
    '| machine | where | p50 time (p10 – p90) | p50 cost (p10 – p90) |',
    '|---|---|---|---|',
  ]);
  expect(lines[4]).toMatch(
    /^\| \*\*1 × L4, local\*\* \| local, local, on-demand \| [\d.]+ (min|h) \([^)]+\) \| \$\d+\.\d\d \([^)]+\) \|$/,
  );
  expect(lines.join('\n')).toMatch(/From \w+.*would narrow it most\./);
});

test('a job that nothing can run is said to be one, and why', () => {
  const quote = quoteOf({ resources: { cpus: 4096 } });
  expect(comment(quote)).toMatch(/^### train\/job\.yaml\n\nNothing can run it: .{20,}/);
});

test('the workflow quotes on pull requests with no more rights than it needs, by commands that exist', () => {
  const workflow = parse(readFileSync(join(folder, 'quote.yaml'), 'utf8')) as {
    on: { pull_request: object };
    permissions: Record<string, string>;
    jobs: { quote: Quoting };
  };
  expect(workflow.permissions).toEqual({ contents: 'read', 'pull-requests': 'write' });
  expect(workflow.on.pull_request).toBeDefined();
  const scripts = workflow.jobs.quote.steps.flatMap(({ run = '' }) => run);
  for (const script of scripts) execFileSync('bash', ['-n'], { input: script.replaceAll(/\$\{\{.*?\}\}/g, 'x') });
});

/** A pull request's checkout, in which `weir` answers by a file's first word, and `gh` keeps what it is told. */
async function pullRequest(files: Record<string, string>, removed: string[] = []) {
  const directory = await mkdtemp(join(tmpdir(), 'weir-actions-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const write = async (path: string, content: string, mode = 0o644) => {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), content, { mode });
  };
  const git = (...words: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...words], { cwd: directory });
  git('init', '--quiet');
  for (const path of removed) await write(path, 'name: a');
  git('add', '--all');
  git('commit', '--quiet', '--allow-empty', '--message', 'base');
  git('update-ref', 'refs/remotes/origin/main', 'HEAD');
  for (const path of removed) await rm(join(directory, path));
  for (const [path, content] of Object.entries(files)) await write(path, content);
  git('add', '--all');
  git('commit', '--quiet', '--message', 'change');
  await mkdir(join(directory, '.github'));
  await copyFile(join(folder, 'comment.mjs'), join(directory, '.github/comment.mjs'));
  const quote = JSON.stringify({ options: [] });
  const fault = JSON.stringify({ detail: 'The request is not valid.', errors: [{ pointer: '/name', detail: 'No.' }] });
  await write(
    'bin/weir',
    `#!/bin/sh\ngrep -q faulty "$2" && { echo '${fault}' >&2; exit 1; }\necho '${quote}'\n`,
    0o755,
  );
  await write('bin/gh', '#!/bin/sh\necho "$@" >> gh.log\n', 0o755);
  const { jobs } = parse(readFileSync(join(folder, 'quote.yaml'), 'utf8')) as { jobs: { quote: Quoting } };
  const PATH = `${directory}/bin:${dirname(process.execPath)}:${process.env['PATH']}`;
  const env = { PATH, GITHUB_BASE_REF: 'main', GITHUB_REPOSITORY: 'a/b', PULL_REQUEST: '7' };
  const codes = jobs.quote.steps
    .filter(({ run = '' }) => run.includes('quotes.md'))
    .map(({ run = '' }) => spawnSync('bash', ['-e', '-c', run], { cwd: directory, env }).status);
  const read = (path: string) => readFile(join(directory, path), 'utf8').catch(() => undefined);
  return { codes, comment: await read('comment.md'), said: await read('gh.log') };
}

test('every job.yaml that changes is quoted, also that at the top; where none does, nothing is said', async () => {
  const changed = await pullRequest({ 'job.yaml': 'name: a', 'with space/job.yaml': 'name: b' });
  expect(changed.codes).toEqual([0, 0]);
  expect(changed.comment).toMatch(/^<!-- weir quotes -->\n### job\.yaml\n[^]*^### with space\/job\.yaml\n/m);
  expect(changed.said).toContain('api --silent repos/a/b/issues/7/comments --field body=@comment.md');
  expect(await pullRequest({ 'README.md': 'a' }, ['job.yaml'])).toEqual({ codes: [0, 0] });
});

test('a faulty job is told with its faults beside the others’ quotes, and fails the check', async () => {
  const { codes, comment: told } = await pullRequest({ 'a/job.yaml': 'faulty', 'b/job.yaml': 'name: b' });
  expect(codes).toEqual([0, 1]);
  expect(told).toContain('### a/job.yaml\n\nNot quoted: The request is not valid.\n\n- `/name`: No.\n');
  expect(told).toContain('### b/job.yaml\n');
});

test('the command reaches the server that the workflow names, with its key', async () => {
  const { jobs } = parse(readFileSync(join(folder, 'quote.yaml'), 'utf8')) as { jobs: { quote: Quoting } };
  const asked: (string | undefined)[] = [];
  const url = await serve((request, response) => {
    asked.push(request.headers.authorization);
    sendJson(response, 200, { items: [], nextCursor: null });
  });
  const given = { '${{ secrets.WEIR_KEY }}': 'a-key', '${{ vars.WEIR_URL }}': url } as Record<string, string>;
  const env = Object.entries(jobs.quote.env).map(([name, value]) => [name, given[value] ?? '']);
  const weir = await commandFromSources(Object.fromEntries(env));
  expect(await weir.run(['ps'])).toMatchObject({ code: 0 });
  expect(asked).toEqual(['Bearer a-key']);
});
