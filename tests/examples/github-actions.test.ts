import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
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
  expect(scripts.join('\n')).toContain('weir quote "$job" --json | node .github/comment.mjs "$job"');
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
