import { answer } from '../api.ts';
import { usageFailure } from '../failure.ts';
import type { NewSimulation } from '../generated/api.ts';
import { lastPeriod } from '../period.ts';
import { note, printJson } from '../screen.ts';
import { connect, type Flags } from '../session.ts';
import { showVariants } from '../simulation-view.ts';
import { readSpecFile } from '../spec-file.ts';
import { tenantNames } from '../tenant-names.ts';

/** Replays what the file says, and of `--last` what was recorded, beside what happened. */
export async function simulate(path: string | undefined, flags: Flags & { last?: string }): Promise<void> {
  const { last } = flags;
  if (path === undefined && last === undefined)
    throw usageFailure('Replay what?', 'weir simulate --last 7d, or weir simulate FILE [--last 7d]');
  const { api } = await connect(flags);
  const file = path === undefined ? undefined : await readSpecFile(path);
  const body = { ...file?.value, ...(last === undefined ? {} : { period: lastPeriod(last) }) } as NewSimulation;
  const replay = () => answer(api.POST('/v1/simulations', { body }));
  const simulation = await (file === undefined ? replay() : file.placing(replay));
  if (flags.json === true) return printJson(simulation);
  const { recorded, simulated, jobs, elapsedSeconds } = simulation;
  showVariants(
    [...(recorded === null ? [] : [{ name: 'was', outcome: recorded }]), { name: 'simulated', outcome: simulated }],
    await tenantNames(api),
  );
  note(`${jobs} ${jobs === 1 ? 'job' : 'jobs'} replayed in ${elapsedSeconds.toFixed(1)} s`);
}
