import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { type: 'minor' }) => void;

const everyBytes = 4 * 1024 * 1024;

/**
 * Counts bytes that went through short-lived buffers, and now and then has those that were dropped freed. V8 sees little of
 * what a buffer holds outside its heap: left to itself, one fast upload grows the process by 70 MB of garbage. A minor
 * collection takes a millisecond.
 */
export function createBufferRelease(): (bytes: number) => void {
  let collect: Collect | undefined;
  let since = 0;
  return (bytes) => {
    since += bytes;
    if (since < everyBytes) return;
    since = 0;
    collect ??= openCollector();
    collect({ type: 'minor' });
  };
}

function openCollector(): Collect {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as Collect;
  setFlagsFromString('--no-expose-gc');
  return collect;
}
