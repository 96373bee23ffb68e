import { ApiError, invalidValue } from './errors.ts';
import { isSpot, type Accelerators, type InstanceBody } from './instance-body.ts';

/** @throws ApiError as Compute Engine answers what does not go together. */
export function checkScheduling(body: InstanceBody, accelerators: Accelerators | undefined): void {
  const { scheduling = {} } = body;
  if (accelerators !== undefined && scheduling.onHostMaintenance !== 'TERMINATE')
    throw new ApiError(400, 'badRequest', 'Instances with guest accelerators do not support live migration.');
  if (isSpot(body) && scheduling.automaticRestart !== false)
    throw invalidValue('scheduling.automaticRestart', 'true', 'Automatic restart must be disabled for Spot VMs.');
  if (isSpot(body) && scheduling.onHostMaintenance === 'MIGRATE')
    throw invalidValue('scheduling.onHostMaintenance', 'MIGRATE', 'Spot VMs do not support live migration.');
  const { maxRunDuration, instanceTerminationAction } = scheduling;
  if (instanceTerminationAction !== undefined && maxRunDuration === undefined && !isSpot(body))
    throw invalidValue(
      'scheduling.instanceTerminationAction',
      instanceTerminationAction,
      'Only Spot VMs and those with a limited run time may specify it.',
    );
  if (maxRunDuration === undefined) return;
  if (instanceTerminationAction === undefined)
    throw invalidValue(
      'scheduling.maxRunDuration',
      maxRunDuration.seconds,
      'instanceTerminationAction must be specified.',
    );
  const seconds = Number(maxRunDuration.seconds);
  if (seconds < 30 || seconds > 120 * 86_400)
    throw invalidValue(
      'scheduling.maxRunDuration.seconds',
      maxRunDuration.seconds,
      'Must be between 30 seconds and 120 days.',
    );
}

/** What is sold as spot, flex-start or reserved alone (Compute Engine: "GPU machine types"). */
const neverStandard = /^(a3-highgpu-[124]g|a3-ultragpu-8g|a4-highgpu-8g)$/;

/** @throws ApiError where the machine type is not sold so. */
export function checkProvisioningModel(body: InstanceBody, type: string): void {
  const { scheduling = {}, params } = body;
  const model = isSpot(body) ? 'SPOT' : (scheduling.provisioningModel ?? 'STANDARD');
  const isSold =
    model === 'FLEX_START' ? /^(a2|a3|a4|g2)-/.test(type) : model !== 'STANDARD' || !neverStandard.test(type);
  if (!isSold)
    throw invalidValue('scheduling.provisioningModel', model, `It is not supported for machine type ${type}.`);
  if (model === 'FLEX_START') checkFlexStart(body);
  else if (params?.requestValidForDuration !== undefined)
    throw invalidValue('params.requestValidForDuration', '', 'Only Flex-start VMs may specify it.');
}

export function waitSecondsOf({ params }: InstanceBody): number {
  return Number(params?.requestValidForDuration?.seconds ?? 0);
}

/** Compute Engine: "About Flex-start VMs". */
function checkFlexStart(body: InstanceBody): void {
  const { scheduling, reservationAffinity } = body;
  const waitSeconds = waitSecondsOf(body);
  if (waitSeconds !== 0 && (waitSeconds < 90 || waitSeconds > 7200))
    throw invalidValue(
      'params.requestValidForDuration',
      `${waitSeconds}s`,
      'Must be 0, or from 90 seconds to 2 hours.',
    );
  if (reservationAffinity?.consumeReservationType !== 'NO_RESERVATION')
    throw invalidValue('resource.reservationAffinity', '', 'Flex-start VMs consume no reservation.');
  const runSeconds = Number(scheduling?.maxRunDuration?.seconds ?? 0);
  if (runSeconds < 600 || runSeconds > 7 * 86_400)
    throw invalidValue('scheduling.maxRunDuration', `${runSeconds}s`, 'Must be from 10 minutes to 7 days.');
}
