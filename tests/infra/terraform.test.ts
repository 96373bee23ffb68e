import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createGcpProvider } from '../../src/providers/gcp/provider.ts';
import type { GcpSettings } from '../../src/providers/gcp/settings.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { builtInCatalogue } from '../../src/quotes/price-list.ts';
import { startGcpEmulator, type GcpEmulator } from '../emulators/gcp/emulator.ts';
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
  const provider = await openProvider(cloud, errors);
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

test('a region that comes later gets the next range of addresses, and leaves the others theirs', () => {
  const text = readFileSync(join(folder, 'network.tf'), 'utf8');
  expect(text).toContain('subnetwork_order   = distinct(concat([var.region], var.machine_regions))');
  expect(text).toContain('cidrsubnet("10.64.0.0/12", 8, index(local.subnetwork_order, each.value))');
});

/** All that there are of Cloud TPU's (IAM: "Cloud TPU roles and permissions"), but for tags and upkeep. */
const tpuPermissions = {
  acceleratortypes: ['get', 'list'],
  locations: ['get', 'list'],
  nodes: ['create', 'delete', 'get', 'list', 'start', 'stop', 'update'],
  operations: ['get', 'list'],
  runtimeversions: ['get', 'list'],
};

test('who buys TPUs may do besides what the life of a slice needs, and no more', async () => {
  const text = readFileSync(join(folder, 'permissions.tf'), 'utf8');
  const [, list = ''] = /tpu_permissions = \[(.*)\]/.exec(text) ?? [];
  const given = [...list.matchAll(/"([^"]+)"/g)].map(([, permission = '']) => permission);
  const cloud = await startGcpEmulator({ machines: 'records' });
  cloud.permissions.grant(cloud.account.email, [...permissionsOfRole(), ...given, actAs]);
  const errors: unknown[] = [];
  const provider = await openProvider(cloud, errors, { kinds: ['v2'] });
  try {
    const request = requestOf({
      zone: 'us-central1-b',
      machineType: 'v2-8',
      accelerators: { kind: 'v2', count: 4 },
    });
    // Only where a slice does not appear is it asked why.
    cloud.faults.failOperation(
      { method: 'tpu.projects.locations.queuedResources.create', times: 1 },
      '',
      'Internal.',
      13,
    );
    await expect(provider.create(request)).rejects.toThrow('Internal.');
    expect(await provider.create(request)).toBeInstanceOf(Date);
    // As after a restart: then the node says since when it is there.
    expect(await provider.create(request)).toBeInstanceOf(Date);
    expect(await provider.list()).toHaveLength(1);
    await provider.destroy(request);
    await waitFor('the slice to be gone', async () => (await provider.list()).length === 0);
    // A node without its request would be deleted alone.
    await provider.destroy(request);
  } finally {
    await provider.close();
    await cloud.close();
  }
  expect(errors).toEqual([]);
  const asked = cloud.permissions.asked(cloud.account.email).filter((permission) => permission.startsWith('tpu.'));
  expect(asked.toSorted()).toEqual(given);
  const known = Object.entries(tpuPermissions).flatMap(([of, verbs]) => verbs.map((verb) => `tpu.${of}.${verb}`));
  // Google makes no role with a permission that there is not.
  expect(known).toEqual(expect.arrayContaining(given));
});

function openProvider(cloud: GcpEmulator, errors: unknown[], changes: Partial<GcpSettings> = {}): Promise<Provider> {
  return createGcpProvider({
    settings: {
      projectId: cloud.project,
      regions: ['us-central1'],
      network: 'weir',
      subnetwork: 'weir',
      networkTags: ['weir-machine'],
      serviceAccount: cloud.instanceAccount.email,
      apiEndpoint: cloud.url,
      keyFile: cloud.env.GOOGLE_APPLICATION_CREDENTIALS,
      ...changes,
    },
    installation: 'inl_a',
    // Google is asked for the machine types alone that have a price.
    prices: async () => [...builtInCatalogue.offers('L4'), ...builtInCatalogue.offers('v2')],
    runner: () => Promise.resolve({ url: 'https://storage.example.org/runner', sha256: 'a'.repeat(64) }),
    onError: (error) => errors.push(error),
  });
}
