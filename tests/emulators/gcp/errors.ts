import type { Json, Service } from './messages.ts';

/** An error as Google's front end answers it. */
export class ApiError extends Error {
  readonly status: number;
  /** What `errors[].reason` says in Compute Engine's answers. */
  readonly reason: string;
  readonly more: { details?: Json[]; domain?: string; retryAfterSeconds?: number; rpcStatus?: string };
  constructor(status: number, reason: string, message: string, more: ApiError['more'] = {}) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.more = more;
  }
}

const statuses: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'ALREADY_EXISTS',
  412: 'FAILED_PRECONDITION',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

/** Compute Engine keeps the older form with `errors`, Cloud TPU answers `google.rpc.Status`. */
export function errorBody(service: Service, { status, reason, message, more }: ApiError): Json {
  const details = more.details === undefined ? {} : { details: more.details };
  const name = more.rpcStatus ?? statuses[status] ?? 'UNKNOWN';
  if (service === 'tpu') return { error: { code: status, message, status: name, ...details } };
  const errors = [{ message, domain: more.domain ?? 'global', reason }];
  // Only what the shared front end answers carries a status too.
  const isOfFrontEnd = more.details !== undefined || status === 401;
  return { error: { code: status, message, errors, ...(isOfFrontEnd ? { status: name } : {}), ...details } };
}

export function notFound(resource: string): ApiError {
  return new ApiError(404, 'notFound', `The resource '${resource}' was not found`);
}

export function invalidValue(field: string, value: string, why: string): ApiError {
  return new ApiError(400, 'invalid', `Invalid value for field '${field}': '${value}'. ${why}`);
}

export function permissionDenied(permission: string, resource: string): ApiError {
  const message = permission.startsWith('tpu.')
    ? `Permission '${permission}' denied on '${resource}'`
    : `Required '${permission}' permission for '${resource}'`;
  return new ApiError(403, 'forbidden', message);
}

export function unauthenticated(): ApiError {
  return new ApiError(
    401,
    'authError',
    'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.',
  );
}

const titles: Record<Service, string> = { compute: 'Compute Engine API', tpu: 'Cloud TPU API' };

export function serviceDisabled(service: Service, projectNumber: string): ApiError {
  const name = `${service}.googleapis.com`;
  const url = `https://console.developers.google.com/apis/api/${name}/overview?project=${projectNumber}`;
  return new ApiError(
    403,
    'accessNotConfigured',
    `${titles[service]} has not been used in project ${projectNumber} before or it is disabled. Enable it by visiting ${url} then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.`,
    {
      domain: 'usageLimits',
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.Help',
          links: [{ description: 'Google developers console API activation', url }],
        },
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: 'SERVICE_DISABLED',
          domain: 'googleapis.com',
          metadata: { service: name, consumer: `projects/${projectNumber}` },
        },
      ],
    },
  );
}

/** One error of an operation, as `Operation.error.errors[]` has it. */
export type OperationFault = {
  status: number;
  code: string;
  message: string;
  errorDetails?: Json[];
};

export class OperationFailure extends Error {
  readonly fault: OperationFault;
  constructor(fault: OperationFault) {
    super(fault.message);
    this.fault = fault;
  }
}
