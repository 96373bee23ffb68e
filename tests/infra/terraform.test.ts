import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createGcpProvider } from '../../src/providers/gcp/provider.ts';
import { startGcpEmulator } from '../emulators/gcp/emulator.ts';
import { permissionsOf } from '../emulators/gcp/permissions.ts';
import { requestOf } from '../providers/gcp/requests.ts';
import { waitFor } from '../support/wait.ts';

const folder = join(import.meta.dirname, '../../infra/terraform');

function permissionsOfRole(): string[] {
  const text = readFileSync(join(folder, 'permissions.tf'), 'utf8');
  return [...text.matchAll(/^ +"([a-zA-Z.]+)",$/gm)].map(([, permission = '']) => permission);
}

/** Of `roles/iam.serviceAccountUser` on the account of machines, which accounts.tf grants beside the role. */
const actAs = 'iam.serviceAccounts.actAs';

test('the role has exactly the permissions that the life of a machine needs, from looking at zones to its last disk', async () => {
  const cloud = await startGcpEmulator({ machines: 'records' });
  const role = permissionsOfRole();
  cloud.permissions.grant(cloud.account.email, [...role, actAs]);
  const errors: unknown[] = [];
  const provider = await createGcpProvider({
    settings: {
      projectId: cloud.project,
      regions: ['us-central1'],
      network: 'weir',
      subnetwork: 'weir',
      networkTags: ['weir-machine'],
      serviceAccount: cloud.instanceAccount.email,
      apiEndpoint: cloud.url,
      keyFile: cloud.env.GOOGLE_APPLICATION_CREDENTIALS,
    },
    installation: 'inl_a',
    prices: () => Promise.resolve([]),
    runner: () => Promise.resolve({ url: 'https://storage.example.org/runner', sha256: 'a'.repeat(64) }),
    onError: (error) => errors.push(error),
  });
  try {
    await provider.sellables();
    await provider.quotas?.();
    const request = requestOf({ image: 'pytorch/pytorch' });
    expect(await provider.create(request)).toBeInstanceOf(Date);
    // As after a repeat so late that Google has forgotten the first: then the machine itself is looked at.
    const message = `The resource 'projects/${cloud.project}/zones/${request.zone}/instances/${request.name}' already exists`;
    cloud.faults.answer({ method: 'compute.instances.insert', times: 1 }, 409, { reason: 'alreadyExists', message });
    expect(await provider.create(request)).toBeInstanceOf(Date);
    await cloud.evict(request.name, 0);
    expect(await provider.endedAt?.(request)).toBeInstanceOf(Date);
    await provider.destroy(request);
    await waitFor('the machine to be gone', async () => (await provider.list()).length === 0);
    await provider.destroy(request);
  } finally {
    await provider.close();
    await cloud.close();
  }
  expect(errors).toEqual([]);
  expect(cloud.permissions.asked(cloud.account.email).sort()).toEqual([...role, actAs].sort());
});

test('who buys TPUs may do besides what slices need, and no more', () => {
  const text = readFileSync(join(folder, 'permissions.tf'), 'utf8');
  const [, list = ''] = /tpu_permissions = \[(.*)\]/.exec(text) ?? [];
  const asked = [
    'acceleratorTypes.list',
    ...['create', 'delete', 'get', 'list'].map((verb) => `queuedResources.${verb}`),
    // A slice's node goes with its queued resource; one without is deleted alone.
    ...['delete', 'get', 'list'].map((verb) => `nodes.${verb}`),
  ].flatMap((method) => permissionsOf(`tpu.projects.locations.${method}`));
  const given = [...list.matchAll(/"([^"]+)"/g)].map(([, permission = '']) => permission);
  expect(given).toEqual([...new Set(asked)].toSorted());
});
