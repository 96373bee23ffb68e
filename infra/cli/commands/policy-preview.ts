import { answer } from '../api.ts';
import { below } from '../failure.ts';
import type { NewSimulation, Policy } from '../generated/api.ts';
import { lastPeriod } from '../period.ts';
import { note, printJson } from '../screen.ts';
import { connect } from '../session.ts';
import { showVariants } from '../simulation-view.ts';
import { readSpecFile } from '../spec-file.ts';
import { createStatusLine } from '../status-line.ts';
import { tenantNames } from '../tenant-names.ts';
import { shellWord } from '../shell-word.ts';
import type { PolicyFlags } from './policy.ts';

/**
 * What the time before would have been under a policy. It is replayed under the policies of now as well: the difference between those
 * two is the policy's doing; that between what was and the first, the replay's.
 */
export async function previewPolicy(path: string, flags: PolicyFlags & { last: string }): Promise<void> {
  const { api, tenantId } = await connect(flags);
  const file = await readSpecFile(path);
  const period = lastPeriod(flags.last);
  const tenant = flags.pool === true ? undefined : await tenantId();
  const changed: NewSimulation =
    tenant === undefined ? { pool: file.value } : { policies: { [tenant]: file.value as Policy } };
  const place = tenant === undefined ? '/pool' : `/policies/${tenant}`;
  const line = createStatusLine();
  line.set(`replaying the jobs of the last ${flags.last}`);
  const { jobs, recorded, baseline, simulated } = await file
    .placing(() => below(place, answer(api.POST('/v1/simulations', { body: { period, ...changed, baseline: true } }))))
    .finally(line.clear);
  if (flags.json === true) return printJson({ period, jobs, recorded, asIs: baseline, under: simulated });
  if (jobs === 0) return note(`No job was queued in the last ${flags.last}: there is nothing to replay.`);
  showVariants(
    [
      ...(recorded === null ? [] : [{ name: 'was', outcome: recorded }]),
      ...(baseline === null ? [] : [{ name: 'replayed as it is', outcome: baseline }]),
      { name: 'under this policy', outcome: simulated },
    ],
    await tenantNames(api),
  );
  const whose = flags.pool === true ? '--pool' : `--tenant ${shellWord(flags.tenant ?? '')}`;
  note(`${jobs} jobs of the last ${flags.last}. Next: weir policy set ${shellWord(path)} ${whose}`);
}
