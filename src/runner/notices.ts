import { setTimeout as sleep } from 'node:timers/promises';
import { callHttp } from './http-call.ts';

/** What the metadata server tells, and what it means; the other values mean that nothing is ahead. */
const notices = [
  { path: 'preempted', value: 'TRUE', message: 'Google took the spot machine back.' },
  {
    path: 'maintenance-event',
    value: 'TERMINATE_ON_HOST_MAINTENANCE',
    message: 'Google ends the machine for maintenance of its host.',
  },
] as const;

/** Each look waits so long for a change. */
const lookSeconds = 60;
const pauseMs = 1_000;

/**
 * Calls `onNotice` once when Google says that it will take the machine away: for a spot machine 30 seconds before, for
 * maintenance an hour. See https://cloud.google.com/compute/docs/metadata/getting-live-migration-notice and
 * https://cloud.google.com/compute/docs/instances/create-use-spot#detect-preemption.
 */
export function watchNotices(metadataHost: string, signal: AbortSignal, onNotice: (message: string) => void): void {
  const ended = new AbortController();
  for (const { path, value, message } of notices)
    void waitForValue(
      new URL(`http://${metadataHost}/computeMetadata/v1/instance/${path}`),
      value,
      AbortSignal.any([signal, ended.signal]),
    ).then(
      () => {
        ended.abort();
        onNotice(message);
      },
      () => undefined,
    );
}

/** @throws when the signal ends it. */
async function waitForValue(url: URL, value: string, signal: AbortSignal): Promise<void> {
  let etag = '0';
  for (;;) {
    url.search = new URLSearchParams({
      wait_for_change: 'true',
      last_etag: etag,
      timeout_sec: String(lookSeconds),
    }).toString();
    const answer = await callHttp({
      method: 'GET',
      url,
      headers: { 'metadata-flavor': 'Google' },
      idleTimeoutMs: 2 * lookSeconds * 1000,
      signal,
    }).catch(() => undefined);
    signal.throwIfAborted();
    if (answer?.status === 200 && answer.body.toString().trim() === value) return;
    if (answer?.status === 200) etag = answer.headers.etag ?? '0';
    else await sleep(pauseMs, undefined, { signal });
  }
}
