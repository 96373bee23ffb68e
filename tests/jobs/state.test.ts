import { expect, test } from 'vitest';
import { after, defaultRetries, next, outcomes } from '../../src/jobs/state.ts';

test('the table of states', () => {
  expect(next).toMatchInlineSnapshot(`
    {
      "cancelled": [],
      "failed": [],
      "provisioning": [
        "running",
        "stopping",
      ],
      "queued": [
        "provisioning",
        "cancelled",
        "failed",
      ],
      "running": [
        "stopping",
      ],
      "stopping": [
        "queued",
        "succeeded",
        "failed",
        "cancelled",
      ],
      "succeeded": [],
    }
  `);
});

test('the end and the cause of every reason', () => {
  expect(Object.entries(outcomes).map(([reason, { end, cause }]) => `${reason}: ${end}, ${cause}`))
    .toMatchInlineSnapshot(`
      [
        "completed: succeeded, job",
        "exit-code: failed, job",
        "signal: failed, job",
        "command-not-found: failed, job",
        "setup-failed: failed, job",
        "source-unavailable: failed, job",
        "input-unavailable: failed, job",
        "image-unavailable: failed, job",
        "out-of-memory: failed, job",
        "disk-full: failed, job",
        "log-line-too-long: failed, job",
        "processes-left-behind: failed, job",
        "output-refused: failed, job",
        "cancelled: cancelled, user",
        "max-duration: failed, limit",
        "max-cost: failed, limit",
        "budget: failed, limit",
        "preemption: failed, preemption",
        "upload-failed: failed, infrastructure",
        "isolation-unavailable: failed, infrastructure",
        "runner-error: failed, infrastructure",
        "no-capacity: failed, infrastructure",
        "provisioning-failed: failed, infrastructure",
        "boot-timeout: failed, infrastructure",
        "heartbeat-lost: failed, infrastructure",
        "instance-vanished: failed, infrastructure",
        "tasks-failed: failed, other-jobs",
        "dependency-failed: failed, other-jobs",
      ]
    `);
});

test('only infrastructure and preemption are tried again, as often as the spec allows', () => {
  expect(after('heartbeat-lost', 3, defaultRetries)).toBe('queued');
  expect(after('heartbeat-lost', 4, defaultRetries)).toBe('failed');
  expect(after('exit-code', 1, defaultRetries)).toBe('failed');
  expect(after('preemption', 1, { max: 3, on: ['infrastructure'] })).toBe('failed');
  expect(after('cancelled', 1, defaultRetries)).toBe('cancelled');
});
