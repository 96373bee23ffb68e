import { isWithin, minus, plus, type Room } from './room.ts';

/** What will be free of a provider, from now on. Times are milliseconds since 1970. */
export type Timeline = {
  /** The earliest time from which so much is free for so long; undefined where it never is. */
  earliest: (wanted: Room, ms: number) => number | undefined;
  take: (wanted: Room, from: number, ms: number) => void;
};

type Step = { at: number; room: Room };

/** `free` now, and what is given back at which time. */
export function createTimeline(now: number, free: Room, releases: readonly Step[]): Timeline {
  const steps: Step[] = [{ at: now, room: free }];
  for (const { at, room } of releases.toSorted((a, b) => a.at - b.at)) {
    const last = steps.at(-1) ?? { at: now, room: free };
    const step = { at: Math.max(now, at), room: plus(last.room, room) };
    // What comes at one moment comes together: between its parts no job could ever be.
    if (step.at === last.at) steps.pop();
    steps.push(step);
  }
  /** The index of a step that begins at this time, which is no earlier than the first. */
  const splitAt = (at: number): number => {
    const next = steps.findIndex((step) => step.at >= at);
    if (steps[next]?.at === at) return next;
    const index = next === -1 ? steps.length : next;
    steps.splice(index, 0, { at, room: steps[index - 1]?.room ?? free });
    return index;
  };
  return {
    earliest: (wanted, ms) => {
      let start: number | undefined;
      for (const { at, room } of steps) {
        if (start !== undefined && at >= start + ms) return start;
        if (!isWithin(wanted, room)) start = undefined;
        else start ??= at;
      }
      return start;
    },
    take: (wanted, from, ms) => {
      const first = splitAt(from);
      const end = splitAt(from + ms);
      for (const step of steps.slice(first, end)) step.room = minus(step.room, wanted);
    },
  };
}
