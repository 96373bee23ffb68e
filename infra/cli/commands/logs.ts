import { answer, pageLimit } from '../api.ts';
import { followLog } from '../follow.ts';
import type { LogLine, LogLineList } from '../generated/api.ts';
import { showLine } from '../log-view.ts';
import { print } from '../screen.ts';
import { connect, jobIdOf, type Flags } from '../session.ts';
import { followShown } from '../watch.ts';

/** The log so far or, followed, to its end. As JSON, a line is an object on a line of its own. */
export async function logs(given: string, flags: Flags & { follow?: boolean }): Promise<void> {
  const session = await connect(flags);
  const job = await jobIdOf(session, given);
  if (flags.follow === true && flags.json !== true) return followShown(session, job, showLine);
  const show = flags.json === true ? (line: LogLine) => print(JSON.stringify(line)) : showLine;
  if (flags.follow === true) {
    for await (const line of followLog(session.api, job)) show(line);
    return;
  }
  for (let cursor: string | null | undefined; cursor !== null;) {
    const query = { limit: pageLimit, ...(cursor === undefined ? {} : { cursor }) };
    const page = await answer(session.api.GET('/v1/jobs/{job}/logs', { params: { path: { job }, query } }));
    const { items, nextCursor } = page as LogLineList;
    items.forEach(show);
    cursor = nextCursor;
  }
}
