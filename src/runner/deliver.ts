import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createBroker, StaleAttempt, type Broker } from './broker.ts';
import { readFrames } from './log-frames.ts';
import { listSegments } from './log-spool.ts';
import { keepToken } from './token.ts';

/** A broker that is away for so long is not waited for: whoever looks after the machine asks again. */
const patienceMs = 5_000;
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
  const spool = spoolOf(stateDir);
  try {
    await deliverAll(spool, await readDestination(stateDir), keepToken(stateDir));
    return 0;
  } catch (error) {
    if (error instanceof BrokerAway) return 1;
    // Nobody will ever take it.
    await rm(spool, { recursive: true, force: true });
    if (error instanceof StaleAttempt) return 1;
    throw error;
  }
}

class BrokerAway extends Error {}

async function deliverAll(spool: string, { brokerUrl, attempt }: Destination, token: string): Promise<void> {
  const leaving = new AbortController();
  const broker = createBroker(brokerUrl, token, leaving.signal);
  const timer = setInterval(() => {
    if (broker.silentMs() > patienceMs) leaving.abort(new BrokerAway('the broker does not answer'));
  }, pollMs);
  try {
    for (const path of await listSegments(spool)) await deliverSegment(path, broker, attempt);
  } catch (error) {
    leaving.signal.throwIfAborted();
    throw error;
  } finally {
    clearInterval(timer);
  }
}

async function readDestination(stateDir: string): Promise<Destination> {
  return JSON.parse(await readFile(destinationOf(stateDir), 'utf8')) as Destination;
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
