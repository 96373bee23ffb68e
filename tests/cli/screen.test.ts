import { expect, test } from 'vitest';
import { bar, sparkline } from '../../infra/cli/bar.ts';
import { sameWith, submissionOf } from '../../infra/cli/command-line.ts';
import { lastPeriod } from '../../infra/cli/period.ts';
import { isCompatible } from '../../infra/cli/server-version.ts';
import { tableLines } from '../../infra/cli/table.ts';
import { transferText } from '../../infra/cli/transfer.ts';
import { fit, widthOf } from '../../infra/cli/width.ts';

test('a bar is filled to an eighth of a column, and never over its end', () => {
  expect([0, 0.5, 0.53125, 1, 7, -1].map((share) => bar(share, 4))).toEqual([
    '░░░░',
    '██░░',
    '██▏░',
    '████',
    '████',
    '░░░░',
  ]);
  expect([sparkline([0, 1, 4, 8]), sparkline([0, 0]), sparkline([])]).toEqual(['▁▁▄█', '', '']);
});

test('a transfer says how far it is, how fast, and how long it takes', () => {
  const MiB = 1024 ** 2;
  expect(transferText('data.tar', { doneBytes: 4 * MiB, totalBytes: 16 * MiB, seconds: 2 })).toBe(
    'data.tar  ██████░░░░░░░░░░░░░░░░░░  25 %  4 MiB of 16 MiB  2 MiB/s  6 s left',
  );
  expect(transferText('empty', { doneBytes: 0, totalBytes: 0, seconds: 0 })).toMatch(/100 %  0 B of 0 B$/);
});

test('a table fits its terminal: the widest columns give way, never the first, and wide letters count twice', () => {
  const rows = [
    ['job_1', '模型 training', 'a message that is longer than any terminal has room for', '$1.50'],
    ['job_22', 'x', 'short', '$12.00'],
  ];
  expect(tableLines(['job', 'name', 'why', 'cost'], rows, 60)).toEqual([
    'job     name           why                              cost',
    'job_1   模型 training  a message that is longer tha…   $1.50',
    'job_22  x              short                          $12.00',
  ]);
  for (const line of tableLines(['job', 'name', 'why', 'cost'], rows, 20))
    expect(widthOf(line)).toBeLessThanOrEqual(20);
  expect([fit('\u001b[31m模型模型\u001b[39m', 4), fit('abc', 3), fit('abcd', 3)]).toEqual([
    '\u001b[31m模\u001b[39m…',
    'abc',
    'ab…',
  ]);
});

test('what to type next is what was typed, with what is new in its place and quoted for a shell', () => {
  expect(submissionOf(['quote', 'my job.yaml', '--pilot', '--', 'sh', '-c', "echo 'a'"], 'qte_1')).toBe(
    `weir submit 'my job.yaml' --quote qte_1 -- sh -c 'echo '\\''a'\\'''`,
  );
  expect(submissionOf(['quote', '-'], 'qte_1')).toBe('weir submit - --yes --quote qte_1');
  expect(sameWith(['submit', '-', '--', 'x', '--yes'], '--yes')).toBe('weir submit - --yes -- x --yes');
});

test('versions fit within a major version, before 1.0 within a minor one', () => {
  const pairs = [['0.1.0', '0.1.9'], ['0.2.0', '0.1.0'], ['1.2.0', '1.9.0'], ['2.0.0', '1.0.0']] as const; // prettier-ignore
  expect(pairs.map(([server, own]) => isCompatible(server, own))).toEqual([true, false, true, false]);
});

test('a period is so long up to now', () => {
  const now = new Date('2026-11-25T12:00:00Z');
  expect(lastPeriod('36h', now)).toEqual({ from: '2026-11-24T00:00:00.000Z', to: '2026-11-25T12:00:00.000Z' });
  expect(() => lastPeriod('soon', now)).toThrow('--last');
});
