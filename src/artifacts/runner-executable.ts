import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { createCache } from '../core/cache.ts';
import { WeirError } from '../core/errors.ts';
import { hourMs, type Clock } from '../core/time.ts';
import type { RunnerExecutable } from '../providers/provider.ts';
import type { Bucket } from './bucket.ts';
import { runnerKey } from './names.ts';

/** What `npm run runner:build` writes beside the executable. */
type Built = { sha256: string };

export type RunnerPublisherDeps = {
  bucket: Bucket;
  /** Where `npm run runner:build` has put the executable. */
  directory: string;
  now: Clock;
};

/** A machine that waits for capacity fetches the runner when it boots: a day later at most, and then some. */
const urlMs = 48 * hourMs;
/** Signing may be a call to Google: one an hour is enough. */
const reuseMs = hourMs;

/**
 * Answers where machines fetch the runner: it lies in the bucket under a name made of its content, so that a machine made by
 * an earlier version of weir still finds its own. Put there by whoever asks first.
 * @throws WeirError `unavailable` where it was not built.
 */
export function createRunnerPublisher({
  bucket,
  directory,
  now,
}: RunnerPublisherDeps): () => Promise<RunnerExecutable> {
  const publish = async (): Promise<RunnerExecutable> => {
    const { sha256 } = await readBuilt(directory);
    const key = runnerKey(sha256);
    if ((await bucket.stat(key)) === undefined) await bucket.write(key, await readExecutable(directory, sha256));
    const expiresAt = new Date(now().getTime() + urlMs);
    return { url: await bucket.createDownloadUrl(key, { fileName: 'weir-runner', expiresAt }), sha256 };
  };
  const published = createCache(publish, reuseMs, now);
  return () => published.get('');
}

async function readBuilt(directory: string): Promise<Built> {
  try {
    return JSON.parse(await readFile(join(directory, 'weir-runner.json'), 'utf8')) as Built;
  } catch (cause) {
    throw new WeirError(
      'unavailable',
      'The runner has no executable for machines to fetch: an operator runs `npm run runner:build`, or sets providers.gcp.runner.',
      { cause },
    );
  }
}

async function readExecutable(directory: string, sha256: string): Promise<Buffer> {
  const bytes = await readFile(join(directory, 'weir-runner'));
  if (createHash('sha256').update(bytes).digest('hex') === sha256) return bytes;
  throw new WeirError(
    'unavailable',
    'The runner’s executable is not the one that was built: an operator runs `npm run runner:build`.',
  );
}
