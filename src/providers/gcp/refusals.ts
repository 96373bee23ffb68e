import { WeirError } from '../../core/errors.ts';
import type { Shortage } from '../provider.ts';
import { answerOf } from './answers.ts';
import type { Answer, Fault, Refusal } from './faults.ts';
import { judge } from './faults.ts';
import { isTpu } from './machines.ts';

/** What was asked for when Google said no. */
export type Asked = {
  projectId: string;
  region: string;
  zone: string;
  machineType: string;
  kind: string;
  market: 'spot' | 'on-demand';
};

const advice: Record<Refusal, (asked: Asked, said: string) => string> = {
  credentials: () =>
    'Google Cloud does not take the credentials that weir has. An operator checks GOOGLE_APPLICATION_CREDENTIALS, or providers.gcp.keyFile.',
  'api-disabled': ({ projectId, kind }, said) =>
    `The project ${projectId} has an API that weir needs not enabled. An operator runs: gcloud services enable ${isTpu(kind) || said.startsWith('Cloud TPU API') ? 'tpu' : 'compute'}.googleapis.com --project ${projectId}.`,
  billing: ({ projectId }) => `The project ${projectId} has no billing account in order. An operator links one.`,
  permission: ({ projectId }) =>
    `weir lacks a permission in the project ${projectId}. An operator grants its service account the role that docs/google-cloud.md lists.`,
  project: ({ projectId }) =>
    `There is no project ${projectId}, or weir may not see it. An operator checks providers.gcp.projectId.`,
  zone: ({ zone }) =>
    `The zone ${zone} does not exist, or this project may not use it. An operator checks providers.gcp.zones.`,
  machine: ({ zone, machineType }) => `${zone} has no ${machineType}.`,
  resource: ({ region }) =>
    `An image, a network or an account that machines are made with does not exist${region === '' ? '' : ` for ${region}`}. An operator checks providers.gcp.`,
  request: ({ machineType, zone }) => `Google Cloud does not take the request for ${machineType} in ${zone}.`,
};

/** Our error for an answer to a request for a machine: what happened, whose move it is, and what not to ask for again soon. */
export function refusal(answer: Answer, asked: Asked, cause?: unknown): WeirError {
  const fault = judge(answer);
  const options = cause === undefined ? {} : { cause };
  if (fault.is === 'stockout') return shortageError(stockoutOf(fault, asked), options);
  if (fault.is === 'quota') return shortageError(quotaOf(fault, asked), options);
  if (fault.is === 'no-addresses') return shortageError(noAddressesIn(asked), options);
  if (fault.is === 'refused') {
    const message = `${advice[fault.because](asked, answer.message)} Google said: ${answer.message}`;
    return new WeirError('invalid', message, {
      ...options,
      extra: { shortage: refusedOf(fault.because, asked, message) },
    });
  }
  return new WeirError('unavailable', `Google Cloud did not carry out the request: ${answer.message}`, options);
}

const nothing = { region: '', zone: '', machineType: '', kind: 'cpu', market: 'on-demand' } as const;
/** What is said of these is of a machine that was asked for. */
const ofMachine: ReadonlySet<Refusal> = new Set(['machine', 'zone', 'request']);

/** Does what asks Google for something other than a machine; says of its errors whose move it is. */
export async function explained<T>({ projectId }: { projectId: string }, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof WeirError) throw error;
    const answer = answerOf(error);
    const fault = judge(answer);
    if (fault.is === 'refused' && ofMachine.has(fault.because))
      throw new WeirError('invalid', `Google Cloud does not do what weir asks of it: ${answer.message}`, {
        cause: error,
      });
    throw refusal(answer, { projectId, ...nothing }, error);
  }
}

function shortageError(shortage: Shortage, options: { cause?: unknown }): WeirError {
  return new WeirError('no-capacity', shortage.message, { ...options, extra: { shortage } });
}

function stockoutOf(
  { zonesAvailable }: Fault & { is: 'stockout' },
  { zone, region, machineType, market }: Asked,
): Shortage {
  const elsewhere = zonesAvailable.length === 0 ? '' : ` Google names ${zonesAvailable.join(', ')} instead.`;
  return {
    cause: 'stockout',
    of: { region, zone, machineType, market },
    message: `${zone} has no ${market} ${machineType} now.${elsewhere}`,
    zonesAvailable,
  };
}

/** Where an operator sees a quota, and asks for more. */
export function quotaPage(projectId: string, metric: string): string {
  return `https://console.cloud.google.com/iam-admin/quotas?project=${projectId}&metric=${encodeURIComponent(metric)}`;
}

function quotaOf({ metric, family, limit, region }: Fault & { is: 'quota' }, asked: Asked): Shortage {
  const { projectId, kind, machineType, market } = asked;
  const where = region ?? (metric.endsWith('ALL_REGIONS') ? undefined : asked.region);
  const name = family === undefined ? metric : `${metric} (${family})`;
  const most = limit === undefined ? '' : ` (limit ${limit})`;
  const page = quotaPage(projectId, metric);
  return {
    cause: 'quota',
    // Machines of one kind may be of several families.
    of: {
      ...(where === undefined ? {} : { region: where }),
      ...(family === undefined ? { kind } : { machineType }),
      market,
    },
    message: `The quota ${name} of the project ${projectId} ${where === undefined ? 'over all regions' : `in ${where}`} is used up${most}. An operator asks for more at ${page}.`,
    zonesAvailable: [],
  };
}

function noAddressesIn({ region }: Asked): Shortage {
  const message = `The subnetwork of machines in ${region} has no address left. An operator expands its range: gcloud compute networks subnets expand-ip-range.`;
  return { cause: 'quota', of: { region }, message, zonesAvailable: [] };
}

/** A machine or a zone that is not there is one place's matter, and so may be a network; what else is refused is so everywhere. */
function refusedOf(because: Refusal, { region, zone, machineType, market }: Asked, message: string): Shortage {
  const of = { machine: { region, zone, machineType, market }, zone: { region, zone }, region: { region }, all: {} };
  return { cause: 'refused', of: of[reachOf(because, message)], message, zonesAvailable: [] };
}

function reachOf(because: Refusal, message: string): 'machine' | 'zone' | 'region' | 'all' {
  if (because === 'machine' || because === 'request') return 'machine';
  if (because === 'zone') return 'zone';
  // A subnetwork is a region's, and so is a permission for it.
  return (because === 'resource' || because === 'permission') && /subnetwork|\bregions\//.test(message)
    ? 'region'
    : 'all';
}
