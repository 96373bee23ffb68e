import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from '../messages.ts';
import { newId } from '../links.ts';
import { StatusFailure, tpuNotFound, typed } from './answers.ts';

type Work = {
  zone: string;
  /** The resource that it is about. */
  target: string;
  verb: 'create' | 'delete';
  /** What it does, and answers: the message that `response` has. @throws StatusFailure to end with an error. */
  run: () => Promise<Json>;
};

export type LongRunning = {
  /** Answers the operation as it is at first; it goes on by itself. */
  start: (work: Work) => Json;
  /** @throws ApiError 404. */
  get: (zone: string, id: string) => Json;
  list: (zone: string) => Json[];
  /** The operation that a repeated request started before. */
  repeated: (requestId: string | undefined) => Json | undefined;
  remember: (requestId: string | undefined, operation: Json) => void;
  close: () => void;
};

/** google.longrunning.Operation, as Cloud TPU answers what takes its time. */
export function createLongRunning(project: string, delayMs: number): LongRunning {
  const operations = new Map<string, Json>();
  const byRequest = new Map<string, Json>();
  const closing = new AbortController();

  const carryOut = async (operation: Json, { run }: Work): Promise<void> => {
    await sleep(delayMs, undefined, { signal: closing.signal, ref: false });
    const end = await run().then(
      (response) => ({ response }),
      (error: unknown) => {
        if (error instanceof StatusFailure) return { error: error.status };
        throw error;
      },
    );
    Object.assign(operation['metadata'] as Json, { endTime: new Date().toISOString() });
    Object.assign(operation, { done: true, ...end });
  };

  return {
    start: (work) => {
      const { zone, target, verb } = work;
      const name = `projects/${project}/locations/${zone}/operations/operation-${newId()}`;
      const operation: Json = {
        name,
        done: false,
        metadata: typed('google.cloud.tpu.v2.OperationMetadata', {
          createTime: new Date().toISOString(),
          target,
          verb,
          apiVersion: 'v2',
          cancelRequested: false,
        }),
      };
      operations.set(name, operation);
      const first = { ...operation };
      void carryOut(operation, work).catch((error: unknown) => {
        if (!closing.signal.aborted) throw error;
      });
      return first;
    },
    get: (zone, id) => {
      const name = `projects/${project}/locations/${zone}/operations/${id}`;
      const found = operations.get(name);
      if (found === undefined) throw tpuNotFound(name);
      return found;
    },
    list: (zone) =>
      [...operations.values()].filter(({ name }) => String(name).startsWith(`projects/${project}/locations/${zone}/`)),
    repeated: (requestId) => {
      const known = requestId === undefined ? undefined : byRequest.get(requestId);
      return known && operations.get(String(known['name']));
    },
    remember: (requestId, operation) => {
      if (requestId !== undefined) byRequest.set(requestId, operation);
    },
    close: () => closing.abort(),
  };
}
