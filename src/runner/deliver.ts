import { open, rm, writeFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createBroker, Refused, StaleAttempt, type Broker } from './broker.ts';
import { readFrames } from './log-frames.ts';
import { listSegments } from './log-spool.ts';
import { keepToken } from './token.ts';

/** A broker that is away for so long is not waited for: whoever looks after the machine asks again. */
const patienceMs = 10_000;
const pollMs = 250;

/** Where the log of this attempt goes. */
type Destination = { brokerUrl: string; attempt: number };

export function spoolOf(stateDir: string): string {
  return join(stateDir, 'log');
}

/** Kept, so that another process can deliver the log should this one be killed. On a full disk the job runs without. */
export async function keepDestination(stateDir: string, destination: Destination): Promise<void> {
  await writeFile(destinationOf(stateDir), JSON.stringify(destination), { mode: 0o600 }).catch(() => undefined);
}

/**
 * Sends what a runner that was killed had not sent, in its name; what the broker has already it drops. Removes each file
 * whose lines are delivered, and all where the attempt is over. Answers the program's exit code.
 */
export async function deliverLeftLog(stateDir: string): Promise<number> {
  const { brokerUrl, attempt } = JSON.parse(await readFile(destinationOf(stateDir), 'utf8')) as Destination;
  const leaving = new AbortController();
  const broker = createBroker(brokerUrl, keepToken(stateDir), leaving.signal);
  const timer = setInterval(() => {
    if (broker.silentMs() > patienceMs) leaving.abort();
  }, pollMs);
  try {
    for (const path of await listSegments(spoolOf(stateDir))) await deliverSegment(path, broker, attempt);
    return 0;
  } catch (error) {
    if (leaving.signal.aborted) return 1;
    if (!(error instanceof StaleAttempt) && !(error instanceof Refused)) throw error;
    await rm(spoolOf(stateDir), { recursive: true, force: true });
    return 1;
  } finally {
    clearInterval(timer);
  }
}

/** One batch a call: what was sent together before ended where a batch ends, so that none is half known. */
async function deliverSegment(path: string, broker: Broker, attempt: number): Promise<void> {
  const file = await open(path, 'r');
  try {
    for await (const batch of readFrames(file)) await broker.sendLogs(attempt, batch);
  } finally {
    await file.close();
  }
  await rm(path, { force: true });
}

function destinationOf(stateDir: string): string {
  return join(stateDir, 'destination.json');
}
