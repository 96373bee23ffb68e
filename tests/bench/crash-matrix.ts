import { everyPoint, openCrashWorld, type Outcome } from '../crash/cloud-points.ts';
import { withCluster } from './dispatch/cluster.ts';
import { finish } from './summary.ts';

/**
 * kill -9 of the service before and after every call that a job makes of Google Cloud, as it goes well and as it does not; each
 * time it is started again and has to end with the machines that are wanted, none. Exits with 1 where it did not.
 */
const outcomes = await withCluster(async (url) => {
  const world = await openCrashWorld(url);
  const seen: Outcome[] = [];
  try {
    for (const point of everyPoint) {
      seen.push(await world.crash(point));
      if (!process.argv.includes('--json')) process.stderr.write(`  ${JSON.stringify(seen.at(-1))}\n`);
    }
    return seen;
  } finally {
    await world.close();
  }
});

const count = (test: (outcome: Outcome) => boolean) => outcomes.filter(test).length;
const summary = {
  injectionPoints: everyPoint.length,
  runs: outcomes.length,
  machinesLeaked: outcomes.reduce((sum, { machinesLeft }) => sum + machinesLeft, 0),
  disksLeaked: outcomes.reduce((sum, { disksLeft }) => sum + disksLeft, 0),
  jobsLost: count(({ state }) => state !== 'succeeded'),
  jobsDoubled: count(({ completions }) => completions > 1),
  // Beyond the time that the service was away: what ends meanwhile is charged until it is seen to be gone.
  worstLedgerSeconds: Math.max(...outcomes.map(({ ledgerSeconds, awaySeconds }) => ledgerSeconds - awaySeconds)),
};
finish({ outcomes, summary });
if (summary.machinesLeaked + summary.disksLeaked + summary.jobsLost + summary.jobsDoubled > 0) process.exitCode = 1;
