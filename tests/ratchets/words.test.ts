import { expect, test } from 'vitest';
import { JobState } from '../../src/db/generated/enums.ts';
import { activeStates, endStates, next } from '../../src/jobs/state.ts';
import { jobStates } from '../../src/protocol/job.ts';

test('protocol, database and machine know the same job states', () => {
  expect(Object.values(JobState)).toEqual([...jobStates]);
  expect(Object.keys(next).sort()).toEqual([...jobStates].sort());
  expect(['queued', ...activeStates, ...endStates]).toEqual([...jobStates]);
});
