import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../support/wait.ts';
import { createCaller, zone, type Caller } from './gcp/caller.ts';
import { startGcpEmulator, type GcpEmulator } from './gcp/emulator.ts';
import type { Json } from './gcp/messages.ts';
import { metadataAddress, obstacleToNetworks } from './gcp/network.ts';

let cloud: GcpEmulator;
let caller: Caller;

beforeAll(async () => {
  cloud = await startGcpEmulator({ timing: { secondMs: 1 } });
  caller = createCaller(cloud);
});
afterAll(async () => cloud?.close());

test('an eviction is told by metadata and SIGTERM, and ends the machine with all that it runs', async () => {
  const evicted = await caller.boot(
    'evicted',
    `trap 'echo told; exit' TERM; sh -c 'trap "" TERM; while :; do sleep 0.1; done' & echo ready; wait; wait`,
  );
  const { machine: process_, metadata: server } = evicted;
  const preemption = (query: string) =>
    fetch(`http://${server?.host}/computeMetadata/v1/instance/preempted${query}`, {
      headers: { 'metadata-flavor': 'Google' },
    });
  const etag = (await preemption('')).headers.get('etag');
  const preempted = preemption(`?wait_for_change=true&last_etag=${etag}`);
  const eviction = cloud.evict('evicted', 300);
  expect(await (await preempted).text()).toBe('TRUE');
  await eviction;
  expect(process_?.serialOutput()).toContain('told');
  expect(process_?.pids()).toEqual([]);
  expect((await caller.call('GET', `zones/${zone}/instances/evicted`)).status).toBe(404);
  const filter = encodeURIComponent('operationType = compute.instances.preempted');
  expect((await caller.call('GET', `zones/${zone}/operations?filter=${filter}`)).body['items']).toMatchObject([
    { status: 'DONE', targetLink: expect.stringContaining('/instances/evicted') },
  ]);
});

test('a machine that shuts itself down stays as TERMINATED and costs no more', async () => {
  await caller.done(await caller.insert(caller.machine('off', 'shutdown -h now')));
  await waitFor(
    'it to be off',
    async () => (await caller.call('GET', `zones/${zone}/instances/off`)).body['status'] === 'TERMINATED',
  );
  const seconds = cloud.runningSeconds('off');
  expect(seconds).toBeGreaterThan(0);
  expect(cloud.runningSeconds('off')).toBe(seconds);
});

test('a machine is deleted when its maxRunDuration is over', async () => {
  const scheduling = { ...(caller.machine('x')['scheduling'] as Json), maxRunDuration: { seconds: '30' } };
  await caller.boot('limited', 'echo ready', { scheduling: { ...scheduling, maxRunDuration: { seconds: '900' } } });
  await waitFor(
    'it to be gone',
    async () => (await caller.call('GET', `zones/${zone}/instances/limited`)).status === 404,
  );
});

test('the metadata server wants its header, and hands out tokens of the machine’s own account', async () => {
  const { metadata: server } = await caller.boot('meta', 'echo ready');
  const read = (path: string, headers: Record<string, string> = { 'metadata-flavor': 'Google' }) =>
    fetch(`http://${server?.host}/computeMetadata/v1/${path}`, { headers });
  expect((await read('instance/name', {})).status).toBe(403);
  expect((await read('instance/nothing')).status).toBe(404);
  expect(await (await read('instance/attributes/')).text()).toBe('startup-script\n');
  const { access_token } = (await (await read('instance/service-accounts/default/token')).json()) as {
    access_token: string;
  };
  expect(cloud.tokens.principal({ authorization: `Bearer ${access_token}` })).toBe(cloud.instanceAccount.email);
});

const obstacle = obstacleToNetworks();
if (obstacle !== undefined)
  process.stderr.write(`Tests of machines with networks of their own are left out: ${obstacle}\n`);
else {
  test('a machine has a network of its own, where its metadata server is at Google’s address and by Google’s name', async () => {
    const script = (other: string) => `
      for host in ${metadataAddress} metadata.google.internal; do
        curl -s -H 'Metadata-Flavor: Google' "http://$host/computeMetadata/v1/instance/name"; echo " by $host"
      done
      curl -s -H 'Metadata-Flavor: Google' http://${metadataAddress}/computeMetadata/v1/instance/network-interfaces/0/ip; echo ' is mine'
      curl -s -m 2 http://127.0.0.1:${cloud.port}/ >/dev/null || echo 'nothing on my 127.0.0.1'
      (exec 3<>/dev/tcp/${cloud.hostAddress}/1) 2>&1 | grep -o 'Connection refused'
      (exec 3<>/dev/tcp/${other}/1) 2>&1 | grep -o 'Connection refused' | sed 's/^/the other: /'
      echo ready; sleep 600`;
    const one = await caller.boot('networked-1', `#!/bin/bash\n${script('127.0.0.1')}`);
    const address = String((one.resource['networkInterfaces'] as Json[])[0]?.['networkIP']);
    const { machine } = await caller.boot('networked-2', `#!/bin/bash\n${script(address)}`);
    const lines = machine?.serialOutput().split('\n') ?? [];
    expect(lines).toEqual(
      expect.arrayContaining([
        `networked-2 by ${metadataAddress}`,
        'networked-2 by metadata.google.internal',
        expect.stringMatching(/^198\.18\.\d+\.\d+ is mine$/),
        'nothing on my 127.0.0.1',
        'Connection refused',
        'the other: Connection refused',
      ]),
    );
  });

  test('the runner’s rules bar a job’s uid and what the machine forwards for containers from the metadata server, not the machine itself', async () => {
    const uid = 61_236;
    const bar = `import { barMetadata } from '${import.meta.dirname}/../../src/runner/metadata-route.ts'; console.log('barred', await barMetadata(${uid}, true));`;
    const ask = `timeout 5 bash -c 'exec 3<>/dev/tcp/${metadataAddress}/80 && echo reaches it || echo does not' 2>/dev/null`;
    const asAll = (when: string) => `
      echo "${when} the machine $(${ask})"
      echo "${when} the job $(setpriv --reuid ${uid} --clear-groups ${ask})"
      echo "${when} the container $(nsenter --target $container --net ${ask})"`;
    // As a container engine connects its containers: a pair of interfaces, and packets that the machine forwards.
    const { machine } = await caller.boot(
      'barred',
      `#!/bin/bash
      unshare --net sleep 600 & container=$!
      while [ "$(readlink /proc/$container/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
      address=$(ip -4 -brief address show eth0 | grep -o '198.18.[0-9]*').250
      echo 1 | tee /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/eth0/proxy_arp >/dev/null
      ip link add docker0 type veth peer name eth0 netns $container
      ip address add 172.17.0.1/24 dev docker0; ip link set docker0 up; ip route add $address dev docker0
      nsenter --target $container --net ip address add $address/32 dev eth0
      nsenter --target $container --net ip link set eth0 up
      nsenter --target $container --net ip route add default dev eth0
      echo 1 > /proc/sys/net/ipv4/conf/docker0/proxy_arp
      echo 0 | tee /proc/sys/net/ipv4/neigh/{eth0,docker0}/proxy_delay >/dev/null
      ${asAll('before')}
      '${process.execPath}' --input-type=module --eval "${bar}"
      ${asAll('after')}
      echo ready; sleep 600`,
    );
    expect(machine?.serialOutput().match(/^(before|after|barred) .*/gm)).toEqual([
      'before the machine reaches it',
      'before the job reaches it',
      'before the container reaches it',
      'barred true',
      'after the machine reaches it',
      'after the job does not',
      'after the container does not',
    ]);
  });
}
