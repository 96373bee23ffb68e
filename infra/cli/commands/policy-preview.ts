import { answer } from '../api.ts';
import { below } from '../failure.ts';
import type { NewSimulation, Policy } from '../generated/api.ts';
import { lastPeriod } from '../period.ts';
import { note, printJson } from '../screen.ts';
import { connect } from '../session.ts';
import { showVariants } from '../simulation-view.ts';
import { readSpecFile } from '../spec-file.ts';
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
  const replay = (body: NewSimulation) => answer(api.POST('/v1/simulations', { body }));
  const under = await file.placing(() => below(place, replay({ period, ...changed })));
  const asIs = await replay({ period });
  if (flags.json === true)
    return printJson({
      period,
      jobs: under.jobs,
      recorded: under.recorded,
      asIs: asIs.simulated,
      under: under.simulated,
    });
  if (under.jobs === 0) return note(`No job was queued in the last ${flags.last}: there is nothing to replay.`);
  showVariants(
    [
      ...(under.recorded === null ? [] : [{ name: 'was', outcome: under.recorded }]),
      { name: 'replayed as it is', outcome: asIs.simulated },
      { name: 'under this policy', outcome: under.simulated },
    ],
    await tenantNames(api),
  );
  const whose = flags.pool === true ? '--pool' : `--tenant ${shellWord(flags.tenant ?? '')}`;
  note(`${under.jobs} jobs of the last ${flags.last}. Next: weir policy set ${shellWord(path)} ${whose}`);
}
