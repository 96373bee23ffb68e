import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { expect } from 'vitest';
import { spec, test, type Weir } from './command.ts';

const program = join(import.meta.dirname, '../../infra/cli/weir.ts');

type Typed = { when: string; type: string };

/** What is seen on a terminal, a pseudo-terminal of util-linux's script, when this is typed as soon as that is read. */
function onTerminal(weir: Weir, given: string[], typed: Typed[] = []): Promise<{ code: number | null; seen: string }> {
  const command = [process.execPath, program, ...given].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    cwd: weir.directory,
    env: weir.env,
  });
  const waiting = [...typed];
  let seen = '';
  child.stdout.on('data', (chunk: Buffer) => {
    seen += chunk.toString();
    if (waiting[0] !== undefined && seen.includes(waiting[0].when)) child.stdin.write(waiting.shift()?.type ?? '');
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('close', (code) => resolve({ code, seen }));
  });
}

test('submit shows the quote, asks, and does what is answered', async ({ weir, vision }) => {
  await weir.write('job.yaml', spec({ name: 'asked', workload: { expectedDuration: '10s' } }));
  const no = await onTerminal(weir, ['submit', 'job.yaml'], [{ when: '[y/N]', type: 'n\r' }]);
  expect(no.code).toBe(1);
  expect(stripVTControlCharacters(no.seen)).toMatch(
    /machine +provider +region[^]*→ +1 core +local[^]*nothing was submitted/,
  );
  expect((await vision.get<{ items: unknown[] }>('/v1/jobs')).items).toEqual([]);
  const yes = await onTerminal(weir, ['submit', 'job.yaml'], [{ when: '[y/N]', type: 'y\r' }]);
  expect(yes.code).toBe(0);
  expect(stripVTControlCharacters(yes.seen)).toMatch(/Submitted job_\w+\s+next: weir logs -f job_/);
});

test('a table has a head and colours on a terminal, and no colours where NO_COLOR is set', async ({ weir }) => {
  await weir.run(['submit', '-', '--yes'], { stdin: spec({}) });
  const { seen } = await onTerminal(weir, ['ps']);
  expect(seen).toContain('\u001b[2mjob ');
  expect(stripVTControlCharacters(seen)).toMatch(/job +name +state[^]*ago/);
  const plain = await onTerminal({ ...weir, env: { ...weir.env, NO_COLOR: '1' } }, ['ps']);
  expect(plain.seen).not.toContain('\u001b');
});

test('login asks for what is left out, and shows no key that is typed', async ({
  weir,
  installation: { url },
  vision: { key },
}) => {
  const { seen, code } = await onTerminal(
    weir,
    ['login'],
    [
      { when: 'Server [', type: `${url}\r` },
      { when: 'Key: ', type: `${key}\r` },
    ],
  );
  expect(code).toBe(0);
  expect(seen).toContain('as vision.');
  expect(seen).not.toContain(key);
});
