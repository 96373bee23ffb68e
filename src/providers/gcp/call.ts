import { setTimeout as sleep } from 'node:timers/promises';
import { answerOf } from './answers.ts';
import { judge, type Answer } from './faults.ts';

/** For each call to Google: how long it may take, and no repetition of the client's own, which would go on for ten minutes. */
export const callOptions = { timeout: 30_000, retry: null };

const mostTries = 4;
const firstRestMs = 250;

/** Calls again, after a rest that grows, where Google is busy or away. Each call here may be repeated: names and request ids are ours. */
export async function persist<T>(call: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      const fault = judge(answerOf(error));
      if ((fault.is !== 'rate' && fault.is !== 'passing') || tries === mostTries) throw error;
      await sleep(firstRestMs * 2 ** (tries - 1) * (0.5 + Math.random()));
    }
  }
}

/** So often is asked past operations that failed; each was a launch. */
const mostFailures = 20;

/**
 * Google answers a repeated request with the operation of the first, also where that failed by something that passes: then it is asked
 * once more, by an id that follows from the name of the one that failed.
 */
export async function pastFailures<T>(
  ask: (...failed: string[]) => Promise<T>,
  failedOf: (operation: T) => string | undefined,
): Promise<T> {
  let operation = await ask();
  for (let tries = 0; tries < mostFailures; tries += 1) {
    const failed = failedOf(operation);
    if (failed === undefined) return operation;
    operation = await ask(failed);
  }
  return operation;
}

/** Whether the same request may go well a moment later. */
export function isPassing(answer: Answer): boolean {
  return ['rate', 'passing', 'not-ready'].includes(judge(answer).is);
}

/** Undefined where Google has no such thing. */
export async function unlessGone<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await persist(call);
  } catch (error) {
    if (judge(answerOf(error)).is === 'gone') return undefined;
    throw error;
  }
}

/** Of callers at the same time who ask for the same thing, each gets the answer to the first. */
export function joined<T>(): (key: string, call: () => Promise<T>) => Promise<T> {
  const underWay = new Map<string, Promise<T>>();
  return (key, call) => {
    const before = underWay.get(key);
    if (before !== undefined) return before;
    const answer = call().finally(() => underWay.delete(key));
    underWay.set(key, answer);
    return answer;
  };
}

/** Of callers at the same time, those that come while a call is under way share the next one: what it says is not older than their question. */
export function shared<T>(call: () => Promise<T>): () => Promise<T> {
  let current: Promise<unknown> | undefined;
  let next: Promise<T> | undefined;
  const begin = (): Promise<T> => {
    next = undefined;
    const answer = call();
    const underWay = answer
      .catch(() => undefined)
      .then(() => {
        if (current === underWay) current = undefined;
      });
    current = underWay;
    return answer;
  };
  return () => {
    if (current === undefined) return begin();
    return (next ??= current.then(begin));
  };
}
