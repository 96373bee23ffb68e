import type { protos } from '@google-cloud/compute';
import type { Answer } from './faults.ts';

type Operation = protos.google.cloud.compute.v1.IOperation;

/** An error that a client of Google's threw. */
export function answerOf(error: unknown): Answer {
  const thrown = error as {
    httpStatusCode?: unknown;
    code?: unknown;
    status?: unknown;
    message?: unknown;
    errorInfoMetadata?: Record<string, string>;
    cause?: { message?: unknown };
  };
  const number = (value: unknown) => (typeof value === 'number' ? value : undefined);
  const code = number(thrown.code);
  const isHttp = (value: number | undefined) => value !== undefined && value >= 100;
  return {
    status: number(thrown.httpStatusCode) ?? number(thrown.status) ?? (isHttp(code) ? code : undefined),
    rpcCode: isHttp(code) ? undefined : code,
    code: typeof thrown.code === 'string' ? thrown.code : undefined,
    message: typeof thrown.message === 'string' ? thrown.message : String(error),
    metadata: thrown.errorInfoMetadata ?? {},
    quota: undefined,
  };
}

/** The first error of an operation that has ended; undefined where it went well. */
export function answerOfOperation({ error, httpErrorStatusCode }: Operation): Answer | undefined {
  const first = error?.errors?.[0];
  if (first === undefined) return undefined;
  const details = first.errorDetails ?? [];
  const quota = details.find(({ quotaInfo }) => quotaInfo)?.quotaInfo;
  return {
    status: httpErrorStatusCode ?? undefined,
    rpcCode: undefined,
    code: first.code ?? undefined,
    message: first.message ?? 'The operation failed.',
    metadata: Object.assign({}, ...details.map(({ errorInfo }) => errorInfo?.metadatas ?? {})) as Record<
      string,
      string
    >,
    quota: quota
      ? { metric: quota.metricName ?? '', limit: quota.limit ?? undefined, dimensions: quota.dimensions ?? {} }
      : undefined,
  };
}

/** The error in the state of a queued resource, a google.rpc.Status. */
export function answerOfStatus({ code, message }: { code?: number | null; message?: string | null }): Answer {
  return {
    status: undefined,
    rpcCode: code ?? undefined,
    code: undefined,
    message: message ?? 'The request failed.',
    metadata: {},
    quota: undefined,
  };
}
