import { expect, test } from 'vitest';
import { listFiles, readSource } from './sources.ts';

const write = /\.job\.(create|update|delete|upsert)|\b(UPDATE|INSERT INTO|DELETE FROM)\s+(public\.)?"?job"?[\s(]/i;

/** Who else writes it, and which columns: none of them the state. The list may only shrink. */
const exceptions = {
  'src/dispatch/waiting-store.ts': 'waiting, not_before',
  'src/instances/store.ts': 'progress',
};

const stateWrite =
  /\.job\.update[^;]*data:\s*\{[^}]*\bstate\b|UPDATE\s+"?job"?\s+(\w+\s+)?SET\s((?!\b(WHERE|FROM)\b)[^;`])*\bstate"?\s*=/i;

test('two files of jobs write the job table, so that no move can be made beside the machine and without its event', () => {
  const writers = listFiles('src', ['.ts']).filter((path) => write.test(readSource(path)));
  expect(writers).toEqual(['src/jobs/move-store.ts', 'src/jobs/store.ts', ...Object.keys(exceptions)].sort());
});

test('only one of them writes the state of a job', () => {
  const movers = listFiles('src', ['.ts']).filter((path) => stateWrite.test(readSource(path)));
  expect(movers).toEqual(['src/jobs/move-store.ts']);
});
