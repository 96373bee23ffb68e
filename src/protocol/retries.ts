import { Type } from 'typebox';
import { closed, Duration } from './common.ts';

/** Whose doing an end may be, and the reasons themselves: what `retries.on` may name. docs/jobs.md lists them. */
export const retryWords = [
  'preemption', 'infrastructure',
  'exit-code', 'signal', 'command-not-found', 'setup-failed', 'source-unavailable', 'input-unavailable',
  'image-unavailable', 'out-of-memory', 'disk-full', 'log-line-too-long', 'processes-left-behind', 'output-refused',
  'max-duration',
  'upload-failed', 'storage-refused', 'machine-disk-full', 'isolation-unavailable', 'runner-error', 'no-capacity', 'provisioning-failed', 'boot-timeout',
  'heartbeat-lost', 'instance-vanished',
] as const; // prettier-ignore

/** One of those, or one exit code of the command, such as 75, sysexits' EX_TEMPFAIL. */
export const retryPattern = `^(${retryWords.join('|')}|exit-code:([1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5]))$`;

export const Retries = Type.Object(
  {
    max: Type.Optional(Type.Integer({ minimum: 0, maximum: 100, default: 3 })),
    on: Type.Optional(
      // A text with a pattern rather than a union: of a thousand wrong words each is one error, not three.
      Type.Array(Type.String({ pattern: retryPattern }), {
        maxItems: retryWords.length + 255,
        description:
          'Whose doing it was (preemption, infrastructure), a reason such as out-of-memory, or one exit code, such as exit-code:75. Left out: preemption and infrastructure.',
      }),
    ),
    onDemandAfter: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100,
        description:
          'After so many preemptions of spot machines the job goes on with on-demand offers, where its quote has some. Left out: never.',
      }),
    ),
    backoff: Type.Optional(
      Duration(
        'How long to wait before the first retry; twice as long before each next, up to 15 minutes or what is stated here. Left out: the installation’s.',
      ),
    ),
  },
  { ...closed, description: 'Left out: 3, on preemption and infrastructure.' },
);
