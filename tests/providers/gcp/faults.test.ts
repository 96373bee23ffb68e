import { expect, test } from 'vitest';
import { judge, type Answer, type Fault } from '../../../src/providers/gcp/faults.ts';

const answer = (given: Partial<Answer>): Answer => ({
  status: undefined,
  rpcCode: undefined,
  code: undefined,
  message: '',
  metadata: {},
  quota: undefined,
  ...given,
});

const zone =
  "The zone 'projects/p/zones/us-central1-b' does not have enough resources available to fulfill the request.";

/** As Google documents its answers, or as users have reported them. */
const table: [name: string, given: Partial<Answer>, expected: Fault][] = [
  [
    'a zone without any',
    { status: 503, code: 'ZONE_RESOURCE_POOL_EXHAUSTED', message: zone },
    { is: 'stockout', zonesAvailable: [] },
  ],
  [
    'a zone without any, and where there are some',
    {
      status: 503,
      code: 'ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS',
      message: `${zone} '(resource type:compute)'.`,
      metadata: {
        vmType: 'n1-standard-4',
        attachment: 'nvidia-tesla-t4:1',
        zonesAvailable: 'us-central1-a, us-central1-f',
      },
    },
    { is: 'stockout', zonesAvailable: ['us-central1-a', 'us-central1-f'] },
  ],
  [
    'the same with none named',
    { code: 'ZONE_RESOURCE_POOL_EXHAUSTED', metadata: { zonesAvailable: '' } },
    { is: 'stockout', zonesAvailable: [] },
  ],
  [
    'bulk insertion',
    { status: 503, code: 'insufficientCapacity', message: 'x' },
    { is: 'stockout', zonesAvailable: [] },
  ],
  [
    'a stockout in the words of an operation',
    { code: 'UNSUPPORTED_OPERATION', message: "'NULL:0/NULL:0 (state:STOCKOUT, sub-state:STOCKOUT)'" },
    { is: 'stockout', zonesAvailable: [] },
  ],
  [
    'a TPU zone without any',
    {
      rpcCode: 8,
      message:
        'There is no more capacity in the zone "europe-west4-a"; you can try in another zone where Cloud TPU Nodes are offered',
    },
    { is: 'stockout', zonesAvailable: [] },
  ],
  [
    'a TPU reservation that is used up',
    { rpcCode: 9, message: 'Insufficient reserved capacity. Contact customer support to increase your reservation.' },
    { is: 'stockout', zonesAvailable: [] },
  ],
  [
    'a quota of a region',
    { status: 403, rpcCode: 7, message: "Quota 'NVIDIA_L4_GPUS' exceeded.  Limit: 1.0 in region us-central1." },
    { is: 'quota', metric: 'NVIDIA_L4_GPUS', limit: 1, region: 'us-central1' },
  ],
  [
    'a quota over all regions',
    { status: 403, code: 'QUOTA_EXCEEDED', message: "Quota 'GPUS_ALL_REGIONS' exceeded.  Limit: 0.0 globally." },
    { is: 'quota', metric: 'GPUS_ALL_REGIONS', limit: 0, region: undefined },
  ],
  [
    'a quota with its details',
    {
      status: 403,
      code: 'QUOTA_EXCEEDED',
      message: 'Quota exceeded.',
      quota: {
        metric: 'compute.googleapis.com/gpus_per_gpu_family',
        limit: 8,
        dimensions: { region: 'us-east4', gpu_family: 'NVIDIA_H100' },
      },
    },
    { is: 'quota', metric: 'gpus_per_gpu_family', family: 'NVIDIA_H100', limit: 8, region: 'us-east4' },
  ],
  [
    'a quota of TPUs in a zone',
    {
      rpcCode: 8,
      message: "Quota 'TPUV2sPreemptiblePodPerProjectPerZoneForTPUAPI' exhausted. Limit 32 in zone europe-west4-a",
    },
    { is: 'quota', metric: 'TPUV2sPreemptiblePodPerProjectPerZoneForTPUAPI', limit: 32, region: 'europe-west4' },
  ],
  [
    'too many calls a minute, which is no quota of machines',
    {
      status: 403,
      message:
        "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute' of service 'compute.googleapis.com'",
    },
    { is: 'rate' },
  ],
  ['too many calls', { status: 429, message: 'Slow down.' }, { is: 'rate' }],
  ['too many calls to one resource', { code: 'RESOURCE_OPERATION_RATE_EXCEEDED', message: 'x' }, { is: 'rate' }],
  ['a backend that is away', { status: 503, message: 'Backend Error' }, { is: 'passing' }],
  ['an error within Google', { status: 500, message: 'Internal error. Please try again.' }, { is: 'passing' }],
  ['a connection that was cut', { rpcCode: 14, message: 'connect ECONNREFUSED 127.0.0.1:1' }, { is: 'passing' }],
  [
    'no answer in time',
    { rpcCode: 4, message: 'Deadline exceeded: insert did not respond within 30000 milliseconds.' },
    { is: 'passing' },
  ],
  [
    'a resource that is not ready',
    { status: 409, code: 'RESOURCE_NOT_READY', message: 'x is not ready' },
    { is: 'not-ready' },
  ],
  [
    'a machine that is being made, or is going already, when it is to be deleted',
    { status: 400, message: "The resource 'projects/p/zones/us-central1-a/instances/a' is not ready" },
    { is: 'not-ready' },
  ],
  [
    'a subnetwork that is full',
    {
      status: 403,
      code: 'IP_SPACE_EXHAUSTED_WITH_DETAILS',
      message: "IP space of 'projects/p/regions/us-central1/subnetworks/weir' is exhausted.",
    },
    { is: 'no-addresses' },
  ],
  [
    'a name that is there',
    { status: 409, rpcCode: 6, message: "The resource 'projects/p/zones/z/instances/a' already exists" },
    { is: 'there-already' },
  ],
  ['a name that is there, of an operation', { code: 'RESOURCE_ALREADY_EXISTS', message: 'x' }, { is: 'there-already' }],
  [
    'a machine that is gone',
    { status: 404, rpcCode: 5, message: "The resource 'projects/p/zones/us-central1-a/instances/a' was not found" },
    { is: 'gone' },
  ],
  [
    'a machine type that the zone lacks',
    {
      status: 400,
      message:
        "Invalid value for field 'resource.machineType': 'zones/z/machineTypes/a4-highgpu-8g'. Machine type with name 'a4-highgpu-8g' does not exist in zone 'us-central1-a'.",
    },
    { is: 'refused', because: 'machine' },
  ],
  [
    'an accelerator that the zone lacks',
    {
      status: 404,
      message: "The resource 'projects/p/zones/us-central1-a/acceleratorTypes/nvidia-tesla-p100' was not found",
    },
    { is: 'refused', because: 'machine' },
  ],
  [
    'a zone that does not exist',
    { status: 400, message: "Invalid value for field 'zone': 'us-central9-a'. Unknown zone." },
    { is: 'refused', because: 'zone' },
  ],
  [
    'a slice that the zone does not have',
    {
      rpcCode: 3,
      message:
        'Cloud TPU received a bad request. the accelerator v4-128 was not found in zone us-central2-b [EID: 0x945ef875d10e8e13]',
    },
    { is: 'refused', because: 'machine' },
  ],
  [
    'a zone of TPUs that is not ours',
    { status: 403, message: 'Location us-east1-d is not found or access is unauthorized.' },
    { is: 'refused', because: 'zone' },
  ],
  [
    'a permission',
    { status: 403, message: "Required 'compute.instances.create' permission for 'projects/p/zones/z/instances/a'" },
    { is: 'refused', because: 'permission' },
  ],
  [
    'an API that is not enabled',
    {
      status: 403,
      message:
        'Compute Engine API has not been used in project 123 before or it is disabled. Enable it by visiting https://…',
    },
    { is: 'refused', because: 'api-disabled' },
  ],
  [
    'credentials that are not taken',
    { status: 401, message: 'Request had invalid authentication credentials.' },
    { is: 'refused', because: 'credentials' },
  ],
  [
    'no credentials',
    { message: 'Could not load the default credentials. Browse to https://…' },
    { is: 'refused', because: 'credentials' },
  ],
  [
    'no billing',
    { status: 403, message: 'This API method requires billing to be enabled.' },
    { is: 'refused', because: 'billing' },
  ],
  [
    'a project that is not there',
    { status: 404, message: "The resource 'projects/typo' was not found" },
    { is: 'refused', because: 'project' },
  ],
  [
    'an image that is not there',
    { status: 404, message: "The resource 'projects/x/global/images/family/y' was not found" },
    { is: 'refused', because: 'resource' },
  ],
  [
    'anything else that we ask wrongly',
    { status: 400, message: "Invalid value for field 'resource.name': 'A'." },
    { is: 'refused', because: 'request' },
  ],
];

test.each(table)('%s is told apart', (_name, given, expected) => {
  expect(judge(answer(given))).toEqual(expected);
});
