import { parseDuration } from '../core/time.ts';
import type { Assignment, Boot } from '../protocol/runner.ts';
import type { Broker } from './broker.ts';
import { Failure } from './verdict.ts';

const periodMs = 250;

export class BrokerLost extends Error {}

export type Deadlines = {
  /** Rejects once a machine of the runner's own has been without a broker for the lease's time and its job has had its grace. */
  brokerLost: Promise<never>;
  end: () => void;
};

/** Ends the job when its time is up, and the machine when nobody asks for it any more. */
export function startDeadlines(
  boot: Boot,
  assignment: Assignment,
  broker: Broker,
  stopFor: (failure: Failure) => void,
): Deadlines {
  const { spec, leaseSeconds, graceSeconds } = assignment;
  const startMs = performance.now();
  const maxMs = spec.maxDuration === undefined ? Infinity : parseDuration(spec.maxDuration);
  let giveUp: (error: BrokerLost) => void = () => undefined;
  const brokerLost = new Promise<never>((_resolve, reject) => (giveUp = reject));
  brokerLost.catch(() => undefined);

  const timer = setInterval(() => {
    if (performance.now() - startMs > maxMs)
      stopFor(new Failure('max-duration', `The job ran for ${spec.maxDuration}, its maxDuration, and was stopped.`));
    const silentMs = boot.ownsMachine ? broker.silentMs() : 0;
    if (silentMs > leaseSeconds * 1000)
      stopFor(new Failure('runner-error', 'The broker was away for longer than the lease.'));
    if (silentMs > (leaseSeconds + graceSeconds) * 1000)
      giveUp(new BrokerLost('the broker was away for longer than the lease'));
  }, periodMs);
  return { brokerLost, end: () => clearInterval(timer) };
}
