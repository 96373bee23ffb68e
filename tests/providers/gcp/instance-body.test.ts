import { expect, test } from 'vitest';
import { instanceBody } from '../../../src/providers/gcp/instance-body.ts';
import { diskTypeOf } from '../../../src/providers/gcp/machines.ts';
import { fromLabels, requestIdOf, toLabels } from '../../../src/providers/gcp/labels.ts';
import { requestOf, settings } from './requests.ts';

const bodyOf = (...[changes, more]: [Parameters<typeof requestOf>[0]?, object?]) =>
  instanceBody(requestOf(changes), { ...settings, ...more }, { 'weir-node': '0' });

test('a spot machine of the A2 family, whole', () => {
  expect(bodyOf()).toMatchInlineSnapshot(`
    {
      "deletionProtection": false,
      "disks": [
        {
          "autoDelete": true,
          "boot": true,
          "initializeParams": {
            "diskSizeGb": 160,
            "diskType": "zones/us-central1-a/diskTypes/pd-balanced",
            "labels": {
              "weir-attempt": "1",
              "weir-installation": "inl_a",
              "weir-job": "job_a",
              "weir-tenant": "tnt_a",
            },
            "sourceImage": "projects/deeplearning-platform-release/global/images/family/common-cu129-ubuntu-2204-nvidia-580",
          },
        },
      ],
      "guestAccelerators": [],
      "labels": {
        "weir-attempt": "1",
        "weir-installation": "inl_a",
        "weir-job": "job_a",
        "weir-tenant": "tnt_a",
      },
      "machineType": "zones/us-central1-a/machineTypes/a2-highgpu-1g",
      "metadata": {
        "items": [
          {
            "key": "weir-node",
            "value": "0",
          },
        ],
      },
      "name": "weir-01kaa-1-0",
      "networkInterfaces": [
        {
          "accessConfigs": [],
          "network": "projects/weir-test/global/networks/weir",
        },
      ],
      "scheduling": {
        "automaticRestart": false,
        "instanceTerminationAction": "DELETE",
        "maxRunDuration": {
          "seconds": 7201,
        },
        "onHostMaintenance": "TERMINATE",
        "provisioningModel": "SPOT",
      },
      "serviceAccounts": [],
      "shieldedInstanceConfig": {
        "enableIntegrityMonitoring": true,
        "enableSecureBoot": false,
        "enableVtpm": true,
      },
      "tags": {
        "items": [],
      },
    }
  `);
});

test('an N1 machine takes its GPUs beside its machine type', () => {
  const { machineType, guestAccelerators } = bodyOf({
    machineType: 'n1-standard-8+2xT4',
    accelerators: { kind: 'T4', count: 2 },
  });
  expect(machineType).toBe('zones/us-central1-a/machineTypes/n1-standard-8');
  expect(guestAccelerators).toEqual([
    {
      acceleratorType: 'projects/weir-test/zones/us-central1-a/acceleratorTypes/nvidia-tesla-t4',
      acceleratorCount: 2,
    },
  ]);
});

test('a machine on demand is STANDARD, or FLEX_START where the operator says so for its kind', () => {
  expect(bodyOf({ market: 'on-demand' }).scheduling?.provisioningModel).toBe('STANDARD');
  const flex = bodyOf(
    { market: 'on-demand', accelerators: { kind: 'H100', count: 8 }, maxRunSeconds: 30 * 86_400 },
    { flexStart: ['H100'], capacityWaitSeconds: 600 },
  );
  expect(flex).toMatchObject({
    scheduling: { provisioningModel: 'FLEX_START', maxRunDuration: { seconds: 7 * 86_400 } },
    params: { requestValidForDuration: { seconds: 600 } },
    reservationAffinity: { consumeReservationType: 'NO_RESERVATION' },
  });
  expect(bodyOf({}, { flexStart: ['A100'] }).scheduling?.provisioningModel).toBe('SPOT');
});

test.each([
  ['n1-standard-8+1xT4', 'hyperdisk-balanced', 'pd-balanced'],
  ['g2-standard-4', 'hyperdisk-balanced', 'pd-balanced'],
  ['g2-standard-4', 'pd-ssd', 'pd-ssd'],
  ['a2-highgpu-1g', 'hyperdisk-balanced', 'pd-balanced'],
  ['a3-highgpu-8g', 'hyperdisk-balanced', 'hyperdisk-balanced'],
  ['a3-highgpu-8g', undefined, 'pd-balanced'],
  ['a3-ultragpu-8g', 'pd-ssd', 'hyperdisk-balanced'],
] as const)('%s with the setting %s boots from %s', (machineType, diskType, expected) => {
  expect(diskTypeOf(machineType, diskType === undefined ? {} : { diskType })).toBe(expected);
});

test('only a machine that has an image to pull gets an account, and no more than reading', () => {
  const account = { serviceAccount: 'runner@weir-test.iam.gserviceaccount.com' };
  expect(bodyOf({}, account).serviceAccounts).toEqual([]);
  expect(bodyOf({ image: 'us-docker.pkg.dev/p/r/i:1' }).serviceAccounts).toEqual([]);
  expect(bodyOf({ image: 'us-docker.pkg.dev/p/r/i:1' }, account).serviceAccounts).toEqual([
    { email: account.serviceAccount, scopes: ['https://www.googleapis.com/auth/devstorage.read_only'] },
  ]);
});

test('a machine has an address on the internet only where the operator says so', () => {
  expect(bodyOf().networkInterfaces?.[0]?.accessConfigs).toEqual([]);
  expect(bodyOf({}, { externalAddresses: true, subnetwork: 'weir' }).networkInterfaces).toEqual([
    {
      network: 'projects/weir-test/global/networks/weir',
      subnetwork: 'projects/weir-test/regions/us-central1/subnetworks/weir',
      accessConfigs: [{ name: 'External NAT', type: 'ONE_TO_ONE_NAT' }],
    },
  ]);
});

test('labels come back as they were, and others become what a label may be', () => {
  const labels = { installation: 'inl_01kaa', tenant: 'tnt_01kab', job: 'job_01kac', attempt: 12 };
  expect(fromLabels(toLabels(labels))).toEqual(labels);
  expect(toLabels({ ...labels, installation: `A.B ${'x'.repeat(80)}` })['weir-installation']).toMatch(/^a-b-x{59}$/);
});

test('the same machine is asked for with the same UUID, another with another', () => {
  const id = requestIdOf('insert', 'weir-a', 'us-central1-a');
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(requestIdOf('insert', 'weir-a', 'us-central1-a')).toBe(id);
  expect(requestIdOf('insert', 'weir-a', 'us-central1-b')).not.toBe(id);
});
