import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { quoteOf } from '../quotes/sample.ts';
import { spec } from '../support/installed-command.ts';
import { waitFor } from '../support/wait.ts';
import { test as base } from './command.ts';
import { commandFromSources, sendJson, serve } from './stub-server.ts';
import { openTerminal, type Terminal } from './terminal.ts';

const test = base.extend<{ terminal: Terminal }>({
  terminal: async ({ weir }, use) => {
    const terminal = await openTerminal(weir);
    await use(terminal);
    await terminal.close();
  },
});

async function enter({ type, press }: Terminal, line: string): Promise<void> {
  await type(line);
  await press('Enter');
}

test('submit shows the quote and the source, asks, and does what is answered', async ({ weir, vision, terminal }) => {
  await weir.write('job.yaml', spec({ name: 'asked', workload: { expectedDuration: '10s' } }));
  await enter(terminal, 'weir submit job.yaml');
  expect(await terminal.until(/\[y\/N\]/)).toMatch(
    /machine +provider +region[^]*→ +1 core +local[^]*source +this directory: 1 files, \d+ B packed/,
  );
  await enter(terminal, 'n');
  await terminal.until(/nothing was submitted/);
  expect((await vision.get<{ items: unknown[] }>('/v1/jobs')).items).toEqual([]);
  await enter(terminal, 'clear; weir submit job.yaml');
  await terminal.until(/\[y\/N\]/);
  await enter(terminal, 'y');
  await terminal.until(/Submitted job_\w+\s+next: weir logs -f job_/);
});

test('where the output goes to a file, the quote and the source are shown where the question is', async ({
  weir,
  terminal,
}) => {
  await weir.write('job.yaml', spec({ name: 'filed', workload: { expectedDuration: '10s' } }));
  await enter(terminal, 'weir submit job.yaml > id');
  expect(await terminal.until(/\[y\/N\]/)).toMatch(
    /machine +provider +region[^]*→ +1 core +local[^]*holds until[^]*source +this directory: /,
  );
  await enter(terminal, 'y');
  await terminal.until(/\[y\/N\] y\n+\$/);
  expect(await readFile(join(weir.directory, 'id'), 'utf8')).toMatch(/^job_\w+\n$/);
});

test('Ctrl-C at a question ends the command as interrupted, and nothing is submitted', async ({ weir, terminal }) => {
  await weir.write('job.yaml', spec({ name: 'interrupted' }));
  await enter(terminal, 'weir submit job.yaml; echo ended with $?');
  await terminal.until(/\[y\/N\]/);
  await terminal.press('C-c');
  await terminal.until(/weir: Interrupted\.\s+ended with 130/);
  expect((await weir.run(['ps', '--name', 'interrupted'])).stdout).toBe('');
});

test('submit --wait shows the log, and below it how far the job is', async ({ weir, terminal }) => {
  const command = 'for i in 1 2 3 4; do echo line $i; echo "weir progress $i/8 steps"; sleep 0.7; done';
  await weir.write('job.yaml', spec({ name: 'bar', command }));
  await enter(terminal, 'weir submit job.yaml --yes --wait; echo ended with $?');
  expect(await terminal.until(/running +█+[▏▎▍▌▋▊▉]?░+ \d+ % +[234] of 8 steps/)).toContain('line 1\n');
  const seen = await terminal.until(/ended with 0/);
  expect(seen).toMatch(/line 4\nweir progress 4\/8 steps\n+succeeded: .*\(\$0\.\d+\)\nended with 0/);
});

test('a table has a head and colours on a terminal and its width, and no colours where NO_COLOR is set', async ({
  weir,
  terminal,
}) => {
  await weir.run(['submit', '-', '--yes', '--wait'], { stdin: spec({}) });
  await enter(terminal, 'weir ps');
  expect(await terminal.until(/^job +name +state[^]*✓ succeeded[^]*ago/m)).toContain('hello');
  expect(await terminal.seen({ colours: true })).toContain('\u001b[32m✓ succeeded');
  await terminal.resize(60, 30);
  await enter(terminal, 'clear; NO_COLOR=1 weir ps; echo over');
  const lines = (await terminal.until(/^job [^]*^over/m)).split('\n');
  const rows = lines.slice(lines.findIndex((line) => line.startsWith('job ')) + 1, lines.indexOf('over'));
  expect([rows.length > 0, rows.filter((row) => !/^job_.{55}…$/.test(row))]).toEqual([true, []]);
  expect(await terminal.seen({ colours: true })).not.toContain('\u001b[32m');
});

test('login asks for what is left out, and shows no key that is typed', async ({
  installation: { url },
  vision: { key },
  terminal,
}) => {
  await enter(terminal, 'weir login');
  await terminal.until(/Server \[/);
  await enter(terminal, url);
  await terminal.until(/Key:/);
  await enter(terminal, key);
  const seen = await terminal.until(/Signed in to .* as vision\./);
  expect(seen).not.toContain(key);
});

test('top shows queue, jobs and shares as they change, fits the terminal, and gives it back', async ({
  weir,
  vision,
  terminal,
}) => {
  await enter(terminal, 'echo before; weir top --every 0.2');
  await terminal.until(/weir top +127\.0\.0\.1:\d+ +vision, admin/);
  const { id } = await vision.submit(JSON.parse(spec({ name: 'watched', command: 'sleep 600', maxDuration: '1h' })));
  await terminal.until(/1 running[^]*watched +● running/);
  await terminal.resize(60, 14);
  const small = await terminal.until(/watched/);
  expect(small.split('\n').filter((line) => line.includes('weir top'))).toHaveLength(1);
  await weir.run(['cancel', id]);
  await terminal.until(/watched +⊘ cancelled/);
  await terminal.press('q');
  const seen = await terminal.until(/before[^]*\$\s*$/);
  expect(seen).not.toContain('watched');
});

test('top gives the terminal back at Ctrl-C also where its input is none', async ({ terminal }) => {
  await enter(terminal, 'echo before; weir top --every 0.2 < /dev/null');
  await terminal.until(/weir top +127\.0\.0\.1:\d+/);
  await terminal.press('C-c');
  expect(await terminal.until(/before[^]*\$\s*$/)).not.toMatch(/weir top +127/);
});

test('top can be left while the server does not answer', async () => {
  let asked = 0;
  // Who it is, the shares, and five lists of jobs; then it hangs.
  const url = await serve(({ url: path = '' }, response) => {
    asked += 1;
    if (asked > 7) return;
    if (path === '/v1/me') return sendJson(response, 200, { tenant: null, role: 'operator' });
    const shares = { tenants: [], series: [], concentration: { hhi: null, effectiveTenants: null } };
    sendJson(response, 200, path.startsWith('/v1/shares') ? shares : { items: [], nextCursor: null });
  });
  const terminal = await openTerminal(await commandFromSources({ WEIR_URL: url, WEIR_KEY: 'key' }));
  onTestFinished(terminal.close);
  await enter(terminal, 'echo before; weir top --every 0.2');
  await terminal.until(/weir top +127/);
  await waitFor('it to ask again', () => Promise.resolve(asked > 7));
  await terminal.press('q');
  await terminal.until(/before[^]*\$\s*$/);
});

test('who follows a job on a slow server asks it one thing at a time', async () => {
  const atOnce = { now: 0, most: 0, all: 0 };
  const url = await serve(({ url: path = '' }, response) => {
    if (/logs|events/.test(path)) {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('retry: 1000\n\n');
      return void setInterval(() => atOnce.all > 1 && response.end('event: end\ndata: {}\n\n'), 100).unref();
    }
    atOnce.most = Math.max(atOnce.most, (atOnce.now += 1));
    setTimeout(() => {
      atOnce.now -= 1;
      atOnce.all += 1;
      sendJson(response, 200, { state: 'running', cost: { accruedUsd: 1 } });
    }, 1_300);
  });
  const terminal = await openTerminal(await commandFromSources({ WEIR_URL: url, WEIR_KEY: 'key' }));
  onTestFinished(terminal.close);
  await enter(terminal, `weir logs -f job_${'0'.repeat(26)}; echo ended with $?`);
  await terminal.until(/ended with 0/);
  expect(atOnce.most).toBe(1);
});

test('where more options were quoted than are shown, what is said to show them does', async () => {
  const quoted = quoteOf({});
  const quote = { ...quoted, options: Array(12).fill(quoted.options.find(({ feasible }) => feasible)) };
  const url = await serve((_request, response) => sendJson(response, 200, quote));
  const terminal = await openTerminal(await commandFromSources({ WEIR_URL: url, WEIR_KEY: 'key' }));
  onTestFinished(terminal.close);
  await enter(terminal, `weir quote ${quoted.id}`);
  const [line = ''] = /weir quote qte_\w+ --all/.exec(await terminal.until(/and 2 more: .*--all[^]*next: /)) ?? [];
  await enter(terminal, `clear; ${line}`);
  expect((await terminal.until(/holds until[^]*\$\s*$/)).match(/on-demand/g)).toHaveLength(12);
});

test('artifacts open fetches a file and hands it to the program for such files', async ({ weir, terminal }) => {
  const job = spec({ name: 'image', command: 'echo pixels > loss.png', outputs: ['loss.png'] });
  await weir.run(['submit', '-', '--yes', '--wait'], { stdin: job });
  await mkdir(join(weir.directory, 'bin'));
  await writeFile(join(weir.directory, 'bin/xdg-open'), '#!/bin/sh\ncat "$1" > opened\n', { mode: 0o755 });
  await enter(terminal, 'PATH=$PWD/bin:$PATH weir artifacts open image loss.png');
  const opened = () => readFile(join(weir.directory, 'opened'), 'utf8').catch(() => '');
  await waitFor('the file to be opened', async () => (await opened()) === 'pixels\n');
  expect(await terminal.until(/loss\.png\n/)).toMatch(/\/weir\/job_\w+\/loss\.png/);
  await enter(terminal, 'clear; PATH=/nowhere weir artifacts open image loss.png');
  await terminal.until(/weir: This machine has no xdg-open to show the file with\.\s+next: look at /);
});

const bareShells = {
  bash: 'exec bash --noprofile --norc',
  zsh: 'exec zsh -f',
};

test.for(['bash', 'zsh'] as const)(
  'Tab in %s completes verbs, flags, their values, files, and jobs as the server has them',
  async (shell, { weir, vision, terminal }) => {
    const { id } = await vision.submit(JSON.parse(spec({})));
    await vision.until(id, ['succeeded']);
    await weir.write('my-job.yaml', spec({}));
    await enter(terminal, `clear; ${bareShells[shell]}`);
    await terminal.until(/^\$\s*$/);
    const [node, program] = weir.words;
    await enter(terminal, `weir() { '${node}' '${program}' "$@"; }`);
    if (shell === 'zsh') await enter(terminal, 'autoload -U compinit && compinit -D');
    await enter(terminal, `source <(weir completion ${shell}); clear`);
    const completed = async (begun: string, whole: RegExp) => {
      await terminal.until(/^\$\s*$/);
      await terminal.type(begun);
      await terminal.press('Tab');
      await terminal.until(whole);
      // No signal, such as C-c: a terminal throws away with it what is typed behind.
      await terminal.press('C-u');
    };
    await completed('weir pol', /^\$ weir policy$/m);
    await completed('weir submit my-', /^\$ weir submit my-job\.yaml/m);
    await completed('weir submit --max-d', /^\$ weir submit --max-duration/m);
    await completed('weir ps --state=can', /^\$ weir ps --state=cancelled/m);
    await completed(`weir show ${id.slice(0, -8)}`, new RegExp(`^\\$ weir show ${id.slice(0, -8)}\\w+`, 'm'));
  },
);
