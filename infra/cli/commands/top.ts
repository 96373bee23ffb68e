import { setTimeout as sleep } from 'node:timers/promises';
import { answer } from '../api.ts';
import { Failure, usageFailure } from '../failure.ts';
import { openFullScreen } from '../full-screen.ts';
import { isTerminal, print, printJson } from '../screen.ts';
import { connect, type Flags, type Session } from '../session.ts';
import { frameOf } from '../top-frame.ts';
import { readSnapshot, type Snapshot } from '../top-snapshot.ts';

const fastestSeconds = 0.2;
/** As wide as what is read elsewhere than on a terminal. */
const pipeColumns = 160;

/** Shows queue, jobs and shares until somebody has seen enough; in a pipe, once. */
export async function top({ every, ...flags }: Flags & { every: string }): Promise<void> {
  const everyMs = 1000 * Math.max(fastestSeconds, Number(every));
  if (Number.isNaN(everyMs)) throw usageFailure(`--every: "${every}" is no number of seconds.`);
  const session = await connect(flags);
  const [title, first] = await Promise.all([titleOf(session), readSnapshot(session)]);
  if (flags.json === true) return printJson(first);
  if (isTerminal) return live(session, { title, first, everyMs });
  const view = { columns: pipeColumns, rows: Infinity, offset: 0, title, trouble: undefined };
  frameOf(first, view).forEach((line) => print(line));
}

async function titleOf({ api, url }: Session): Promise<string> {
  const { tenant, role } = await answer(api.GET('/v1/me'));
  return `${new URL(url).host}  ${tenant === null ? role : `${tenant.name}, ${role}`}`;
}

type Live = { title: string; first: Snapshot; everyMs: number };

async function live(session: Session, { title, first, everyMs }: Live): Promise<void> {
  let snapshot = first;
  let trouble: string | undefined;
  let offset = 0;
  const end = new AbortController();
  const scroll: Record<string, number> = { up: -1, k: -1, down: 1, j: 1, pageup: -10, pagedown: 10 };
  const draw = () => screen.draw(frameOf(snapshot, { ...screen.size(), offset, title, trouble }));
  const screen = openFullScreen({
    key: (name) => {
      if (name === 'q' || name === 'escape' || name === 'ctrl-c') return end.abort();
      offset = Math.min(snapshot.jobs.length, Math.max(0, offset + (scroll[name] ?? 0)));
      draw();
    },
    resize: draw,
  });
  // Ctrl-C is a key where stdin is a terminal, else a signal.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => end.abort());
  try {
    while (!end.signal.aborted) {
      draw();
      await sleep(everyMs, undefined, { signal: end.signal }).catch(() => undefined);
      if (end.signal.aborted) break;
      try {
        snapshot = await readSnapshot(session, end.signal);
        trouble = undefined;
      } catch (error) {
        if (end.signal.aborted) break;
        if (!(error instanceof Failure)) throw error;
        trouble = error.message;
      }
    }
  } finally {
    screen.leave();
  }
}
