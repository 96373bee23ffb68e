import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootMetadata } from '../../src/providers/gcp/boot-metadata.ts';
import type { Assignment } from '../../src/protocol/runner.ts';
import { requestOf } from '../providers/gcp/requests.ts';
import { assignmentOf, startFakeBroker, type FakeBroker } from '../support/fake-broker.ts';
import { runnerExecutable, type RunnerFile } from '../support/runner-executable.ts';
import { waitFor } from '../support/wait.ts';
import { startWeirCloud, type WeirCloud } from './weir-cloud.ts';
import { createCaller, type Caller } from './gcp/caller.ts';
import type { Instance } from './gcp/instance.ts';
import { metadataAddress, obstacleToNetworks } from './gcp/network.ts';

/** The real boot script and the real runner on an emulated machine, with a broker that does as it is told. */
let cloud: WeirCloud;
let caller: Caller;
let runner: RunnerFile;

beforeAll(async () => {
  [cloud, runner] = await Promise.all([startWeirCloud(), runnerExecutable()]);
  caller = createCaller(cloud);
}, 180_000);
afterAll(async () => cloud?.close());

const bootstrapToken = 'ins_secret-of-this-machine';

async function startMachine(
  name: string,
  assignment: Partial<Assignment>,
): Promise<{ broker: FakeBroker; machine: Instance }> {
  const broker = await startFakeBroker(assignmentOf(assignment), cloud.hostAddress);
  broker.files.set('runner', readFileSync(runner.path));
  const request = requestOf({ brokerUrl: broker.url(), gang: { node: 0, bootstrapTokens: [bootstrapToken] } });
  const metadata = bootMetadata(request, { url: `${broker.url()}/files/runner`, sha256: runner.sha256 }, false);
  const items = Object.entries(metadata).map(([key, value]) => ({ key, value }));
  await caller.done(await caller.insert(caller.machine(name, '', { metadata: { items } })));
  return { broker, machine: cloud.instances.find(name) };
}

test('a machine whose broker is away for the lease’s time ends its job and shuts itself down', async () => {
  const lease = { leaseSeconds: 1, graceSeconds: 0.5 };
  const { broker, machine } = await startMachine('forgotten', {
    ...lease,
    spec: { name: 'a', command: 'echo up; sleep 600' },
  });
  await waitFor('the job to run', () => broker.texts('o').includes('up'));
  await broker.goAway();
  const awaySince = Date.now();
  await waitFor('the machine to be off', () => machine.resource['status'] === 'TERMINATED');
  // Not before: a broker that is away for moments finds its machines again.
  expect(Date.now() - awaySince).toBeGreaterThan(lease.leaseSeconds * 1000 - 300);
  expect(machine.machine).toBeUndefined();
  const ended = cloud.runningSeconds('forgotten');
  expect(cloud.runningSeconds('forgotten')).toBe(ended);
});

const obstacle = obstacleToNetworks();
if (obstacle !== undefined) process.stderr.write(`The test of the metadata server’s bar is left out: ${obstacle}\n`);
else
  test('the job reaches neither the metadata server nor the bootstrap token, which its machine has just used', async () => {
    const command = `
      for host in ${metadataAddress} metadata.google.internal; do
        curl -s -m 5 -H 'Metadata-Flavor: Google' "http://$host/computeMetadata/v1/instance/attributes/weir-bootstrap-tokens"
        echo "curl answers $? for $host"
      done
      for file in ../boot.json ../state/token ../runner ../../../startup-script ../../../serial-port-1.log; do
        cat "$file" >/dev/null 2>&1 && echo "reads $file"
      done
      cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep '[i]ns_secret'
      set | grep '[i]ns_secret'
      echo tried; sleep 600`;
    const { broker, machine } = await startMachine('curious', { spec: { name: 'a', command } });
    await waitFor('the job', () => broker.texts('o').includes('tried'));
    expect(broker.claims[0]).toMatchObject({ bootstrapToken, address: expect.stringMatching(/^198\.18\./) });
    // 7: no connection.
    expect(broker.texts('o')).toEqual([
      `curl answers 7 for ${metadataAddress}`,
      'curl answers 7 for metadata.google.internal',
      'tried',
    ]);
    // The server is there all the while: the machine's own runner waits on it for notices.
    void cloud.evict(machine.name);
    const [report] = await waitFor('the report', () => (broker.reports.length > 0 ? broker.reports : undefined));
    expect(report?.reason).toBe('preemption');
    await broker.goAway();
  });
