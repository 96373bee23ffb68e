import { useSyncExternalStore } from 'react';
import { exact, relative } from './format.ts';

const everyMs = 5000;
let ticks = 0;

function subscribe(tell: () => void): () => void {
  const timer = setInterval(() => {
    ticks += 1;
    tell();
  }, everyMs);
  return () => clearInterval(timer);
}

/** Now, again every few seconds. */
export function useNowMs(): number {
  useSyncExternalStore(subscribe, () => ticks);
  // oxlint-disable-next-line react/purity -- what is relative to now is drawn again as now goes on
  return Date.now();
}

type MomentProps = {
  at: string | null | undefined;
  none?: string;
  /** In its place once it has passed, for what is expected and has not come. */
  passed?: string;
};

/** A moment: relative, with the exact one on hover. */
export function Moment({ at, none = '–', passed }: MomentProps) {
  const nowMs = useNowMs();
  if (at === null || at === undefined) return none;
  return (
    <time dateTime={at} title={exact(at)}>
      {passed !== undefined && Date.parse(at) <= nowMs ? passed : relative(at, nowMs)}
    </time>
  );
}
