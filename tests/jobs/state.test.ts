import { expect, test } from 'vitest';
import { after, defaultRetries, isForward, next, outcomes, type StopReason } from '../../src/jobs/state.ts';
import { retryWords } from '../../src/protocol/retries.ts';

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
        "pilot-ended: succeeded, limit",
        "max-cost: failed, limit",
        "budget: failed, limit",
        "preemption: failed, preemption",
        "upload-failed: failed, infrastructure",
        "storage-refused: failed, infrastructure",
        "machine-disk-full: failed, infrastructure",
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

const ended = (reason: StopReason, exitCode: number | null = null) => ({ reason, exitCode });

test('only infrastructure and preemption are tried again, as often as the spec allows', () => {
  expect(after(ended('heartbeat-lost'), 3, defaultRetries)).toBe('queued');
  expect(after(ended('heartbeat-lost'), 4, defaultRetries)).toBe('failed');
  expect(after(ended('exit-code', 1), 1, defaultRetries)).toBe('failed');
  expect(after(ended('preemption'), 1, { max: 3, on: ['infrastructure'] })).toBe('failed');
  expect(after(ended('cancelled'), 1, defaultRetries)).toBe('cancelled');
});

test('where the spec names a reason or an exit code, that is tried again, and nothing beside it', () => {
  const on = (...words: string[]) => ({ max: 1, on: words });
  expect(after(ended('exit-code', 75), 1, on('exit-code:75'))).toBe('queued');
  expect(after(ended('exit-code', 75), 2, on('exit-code:75'))).toBe('failed');
  expect(after(ended('exit-code', 1), 1, on('exit-code:75'))).toBe('failed');
  expect(after(ended('exit-code', 1), 1, on('exit-code'))).toBe('queued');
  expect(after(ended('out-of-memory'), 1, on('out-of-memory'))).toBe('queued');
  expect(after(ended('heartbeat-lost'), 1, on('out-of-memory'))).toBe('failed');
  expect(after(ended('completed'), 1, on(...retryWords))).toBe('succeeded');
});

test('what a spec may name is every reason that another attempt can help against, and whose doing it was', () => {
  const hopeless = ['max-cost', 'budget', 'tasks-failed', 'dependency-failed'];
  const reasons = Object.entries(outcomes).flatMap(([reason, { end, cause }]) =>
    end === 'failed' && !hopeless.includes(reason) && reason !== cause ? [reason] : [],
  );
  expect([...retryWords].toSorted()).toEqual([...reasons, 'preemption', 'infrastructure'].toSorted());
});

test('from any state an array goes to where its tasks are, and never back', () => {
  expect(isForward('queued', 'running')).toBe(true);
  expect(isForward('running', 'failed')).toBe(true);
  expect(isForward('stopping', 'stopping')).toBe(false);
  expect(isForward('stopping', 'running')).toBe(false);
  expect(isForward('succeeded', 'failed')).toBe(false);
});
