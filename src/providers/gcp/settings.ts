import { Type, type Static } from 'typebox';
import { gpuKinds, tpuGenerations } from '../../protocol/job-spec.ts';
import { attachedTypes } from './attached-types.ts';

const closed = { additionalProperties: false } as const;

export const GcpSettings = Type.Object(
  {
    projectId: Type.String({ pattern: '^[a-z][a-z0-9-]{4,28}[a-z0-9]$', description: 'Where machines are made.' }),
    regions: Type.Array(Type.String({ pattern: '^[a-z]+-[a-z]+[0-9]+$' }), {
      minItems: 1,
      uniqueItems: true,
      description: 'Where machines may be made, such as us-central1.',
    }),
    zones: Type.Optional(
      Type.Array(Type.String({ pattern: '^[a-z]+-[a-z]+[0-9]+-[a-z]$' }), {
        minItems: 1,
        uniqueItems: true,
        description: 'Only these zones of the regions. Left out: all of them.',
      }),
    ),
    keyFile: Type.Optional(
      Type.String({
        description:
          'Of a service account, or a configuration of impersonation or of workload identity federation. Left out: the application default credentials.',
      }),
    ),
    network: Type.Optional(
      Type.String({ minLength: 1, default: 'default', description: 'A VPC network by its name.' }),
    ),
    subnetwork: Type.Optional(
      Type.String({ minLength: 1, description: 'By its name, the same in each region. Left out: the network’s own.' }),
    ),
    externalAddresses: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'Whether machines get an address on the internet. Left out: no; the network then needs Cloud NAT.',
      }),
    ),
    networkTags: Type.Optional(Type.Array(Type.String({ pattern: '^[a-z][a-z0-9-]{0,62}$' }))),
    serviceAccount: Type.Optional(
      Type.String({
        pattern: '^[^@\\s]+@[^@\\s]+\\.gserviceaccount\\.com$',
        description: 'As whom machines pull the images that jobs name. Left out: machines have no account at all.',
      }),
    ),
    images: Type.Optional(
      Type.Object(
        {
          gpu: Type.Optional(Type.String({ pattern: '^projects/[^/]+/global/images/' })),
          cpu: Type.Optional(Type.String({ pattern: '^projects/[^/]+/global/images/' })),
        },
        { ...closed, description: 'Boot images with drivers, as projects/…/global/images/family/….' },
      ),
    ),
    diskType: Type.Optional(
      Type.Union([Type.Literal('pd-balanced'), Type.Literal('pd-ssd'), Type.Literal('hyperdisk-balanced')], {
        description:
          'Of boot disks, on machines that take it. Left out: pd-balanced, and hyperdisk-balanced on machines that take no other.',
      }),
    ),
    maxDiskGiB: Type.Optional(
      Type.Integer({ minimum: 100, maximum: 65_536, default: 2000, description: 'The most that a job may ask for.' }),
    ),
    kinds: Type.Optional(
      Type.Array(Type.Enum([...gpuKinds, ...tpuGenerations, 'cpu']), {
        minItems: 1,
        uniqueItems: true,
        description: 'Kinds of accelerator that are bought here. Left out: GPUs and cpu.',
      }),
    ),
    flexStart: Type.Optional(
      Type.Array(Type.Enum([...gpuKinds]), {
        uniqueItems: true,
        description:
          'Kinds whose on-demand machines are asked for as flex-start: they wait for capacity, and run 7 days at most. Not those of N1.',
      }),
    ),
    capacityWaitSeconds: Type.Optional(
      Type.Integer({
        minimum: 30,
        maximum: 86_400,
        default: 300,
        description:
          'How long a TPU slice or a flex-start machine may wait for capacity before the next offer is tried; with flexStart 90 to 7200.',
      }),
    ),
    runner: Type.Optional(
      Type.Object(
        { url: Type.String({ pattern: '^https?://' }), sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }) },
        { ...closed, description: 'Where machines fetch the runner’s executable. Left out: from weir’s bucket.' },
      ),
    ),
    apiEndpoint: Type.Optional(
      Type.String({ pattern: '^https?://', description: 'For an emulator, which is asked without credentials.' }),
    ),
  },
  closed,
);

export type GcpSettings = Static<typeof GcpSettings>;

/** What the schema can't say, and what else of the configuration does not go with machines in a cloud. All faults together. */
export function gcpFaults(settings: GcpSettings, publicUrl: string): string[] {
  const { regions, zones = [], externalAddresses, subnetwork, apiEndpoint } = settings;
  const faults = zones.flatMap((zone, index) =>
    regions.includes(regionOf(zone))
      ? []
      : [`providers.gcp.zones.${index} is ${zone}, whose region ${regionOf(zone)} is not in providers.gcp.regions`],
  );
  faults.push(...flexFaults(settings));
  if (apiEndpoint === undefined && isOwnAddress(publicUrl))
    faults.push(
      `publicUrl is ${publicUrl}, which machines of Google Cloud can't reach; state the address that they report to, such as https://weir.example.org`,
    );
  if (
    externalAddresses !== true &&
    subnetwork === undefined &&
    settings.network === undefined &&
    apiEndpoint === undefined
  )
    faults.push(
      'providers.gcp has no network: without externalAddresses: true machines need one with Cloud NAT, such as network: weir',
    );
  return faults;
}

/** Google has flex-start for accelerator-optimized machines, which wait from 90 seconds to 2 hours (Compute Engine: "About Flex-start VMs"). */
function flexFaults({ flexStart = [], capacityWaitSeconds = 300, ...settings }: GcpSettings): string[] {
  const kinds: readonly string[] | undefined = settings.kinds;
  const faults = flexStart.flatMap((kind, index) => {
    const key = `providers.gcp.flexStart.${index} is ${kind}`;
    if (attachedTypes[kind] !== undefined)
      return [`${key}, and Google has no flex-start for machines of the N1 series`];
    return kinds?.includes(kind) === false ? [`${key}, which is not in providers.gcp.kinds`] : [];
  });
  if (flexStart.length > 0 && (capacityWaitSeconds < 90 || capacityWaitSeconds > 7200))
    faults.push(
      `providers.gcp.capacityWaitSeconds is ${capacityWaitSeconds}; flex-start machines wait from 90 seconds to 2 hours, such as 300`,
    );
  return faults;
}

function isOwnAddress(url: string): boolean {
  return URL.canParse(url) && /^(localhost|127\..*|0\.0\.0\.0|\[::1?\])$/.test(new URL(url).hostname);
}

/** TPUs are bought only by who says so: their API has to be enabled, and quotas asked for. */
export function buysTpus({ kinds = [] }: Pick<GcpSettings, 'kinds'>): boolean {
  return kinds.some((kind) => tpuGenerations.some((generation) => generation === kind));
}

export function waitsForCapacity(settings: Pick<GcpSettings, 'kinds' | 'flexStart'>): boolean {
  return buysTpus(settings) || (settings.flexStart ?? []).length > 0;
}

/** Whether machines may be made there. */
export function isConfigured(zone: string, { regions, zones }: Pick<GcpSettings, 'regions' | 'zones'>): boolean {
  return regions.includes(regionOf(zone)) && (zones?.includes(zone) ?? true);
}

export function regionOf(zone: string): string {
  return zone.replace(/-[a-z]$/, '');
}
