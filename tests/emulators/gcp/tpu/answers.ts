import { ApiError } from '../errors.ts';
import type { Json } from '../messages.ts';

/** What Cloud TPU says where it does not do what it is asked, in the words that users of it have reported. */

/** A google.rpc.Status, as `failedData` and operations have it. */
export type Status = { code: number; message: string };

/** An operation ends with it. */
export class StatusFailure extends Error {
  readonly status: Status;
  constructor(status: Status) {
    super(status.message);
    this.status = status;
  }
}

const resourceExhausted = 8;
const deadlineExceeded = 4;

export function tpuNotFound(resource: string): ApiError {
  return new ApiError(404, 'notFound', `Resource '${resource}' was not found`, {
    details: [{ '@type': 'type.googleapis.com/google.rpc.ResourceInfo', resourceName: resource }],
  });
}

export function tpuExists(resource: string): ApiError {
  return new ApiError(409, 'alreadyExists', `Resource '${resource}' already exists`, {
    details: [{ '@type': 'type.googleapis.com/google.rpc.ResourceInfo', resourceName: resource }],
  });
}

/** Also of a zone that exists and has no TPUs, or none for this project. */
export function locationUnknown(zone: string): ApiError {
  return new ApiError(403, 'forbidden', `Location ${zone} is not found or access is unauthorized.`, {
    details: [
      {
        '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
        reason: 'LOCATION_POLICY_VIOLATED',
        domain: 'googleapis.com',
      },
    ],
  });
}

export function acceleratorUnknown(type: string, zone: string): ApiError {
  return invalid(
    `Cloud TPU received a bad request. the accelerator ${type} was not found in zone ${zone} [EID: ${errorId()}]`,
  );
}

export function invalid(message: string): ApiError {
  return new ApiError(400, 'badRequest', message);
}

export function failedPrecondition(message: string): ApiError {
  return new ApiError(400, 'failedPrecondition', message, { rpcStatus: 'FAILED_PRECONDITION' });
}

export function noCapacity(zone: string): Status {
  return {
    code: resourceExhausted,
    message: `There is no more capacity in the zone "${zone}"; you can try in another zone where Cloud TPU Nodes are offered (see https://cloud.google.com/tpu/docs/regions) [EID: ${errorId()}]`,
  };
}

/** The API's reference names the case, not its words. */
export function expired(): Status {
  return { code: deadlineExceeded, message: `The 'valid until' start timing constraint expired [EID: ${errorId()}]` };
}

export function overQuota(limitName: string, limit: number, zone: string): Status {
  return { code: resourceExhausted, message: `Quota '${limitName}' exhausted. Limit ${limit} in zone ${zone}` };
}

export function typed(message: string, content: Json): Json {
  return { '@type': `type.googleapis.com/${message}`, ...content };
}

function errorId(): string {
  return `0x${Math.floor(Math.random() * 2 ** 52).toString(16)}`;
}
