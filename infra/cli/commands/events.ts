import { answer, firstOf } from '../api.ts';
import { followEvents } from '../follow.ts';
import type { JobEvent, JobEventList } from '../generated/api.ts';
import { showEvent } from '../log-view.ts';
import { note, print, printJson } from '../screen.ts';
import { connect, jobIdOf, type Flags } from '../session.ts';

/** What has happened or, followed, what happens until the job's end. Followed as JSON, an event is an object on a line of its own. */
export async function events(given: string, flags: Flags & { follow?: boolean }): Promise<void> {
  const session = await connect(flags);
  const job = await jobIdOf(session, given);
  if (flags.follow === true) {
    const show = flags.json === true ? (event: JobEvent) => print(JSON.stringify(event)) : showEvent;
    for await (const event of followEvents(session.api, job)) show(event);
    return;
  }
  const list = await firstOf(Infinity, async (query) => {
    const page = await answer(session.api.GET('/v1/jobs/{job}/events', { params: { path: { job }, query } }));
    return page as JobEventList;
  });
  if (flags.json === true) return printJson(list);
  list.items.forEach(showEvent);
  note(`next: weir show ${job}`);
}
