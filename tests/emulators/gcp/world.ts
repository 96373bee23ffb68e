import type { Catalogue } from './catalogue.ts';
import type { FaultsInside } from './faults.ts';
import type { Operations } from './operations.ts';
import type { Permissions } from './permissions.ts';
import type { Quotas } from './quotas.ts';
import type { Tokens } from './tokens.ts';
import { invalidValue, notFound } from './errors.ts';
import type { Json } from './messages.ts';

export type Timing = {
  pendingMs: number;
  runningMs: number;
  /** Between RUNNING and the first line of the startup script. */
  bootMs: number;
  /** How long an instance has to shut down when it is stopped or deleted, and when it is preempted. */
  shutdownMs: number;
  preemptionMs: number;
  /** How long `wait` of an operation waits. */
  waitMs: number;
  /** How long a second of `maxRunDuration` lasts, and of the time that a queued resource is waited for. */
  secondMs: number;
  /** How long a TPU stays in each state on its way up. */
  tpuStateMs: number;
};

/** What every resource of the emulator is built on. */
export type World = {
  project: string;
  projectNumber: string;
  timing: Timing;
  catalogue: Catalogue;
  operations: Operations;
  quotas: Quotas;
  faults: FaultsInside;
  permissions: Permissions;
  tokens: Tokens;
};

export type Call = {
  method: string;
  params: Record<string, string>;
  query: Record<string, string>;
  body: Json;
  principal: string;
};

/** Handlers by Google's name of the method. */
export type Handlers = Record<string, (call: Call) => Json | Promise<Json>>;

/** @throws ApiError as for a project that the caller can't see. */
export function requireProject({ project }: World, named: string | undefined): void {
  if (named !== project) throw notFound(`projects/${named ?? ''}`);
}

/** @throws ApiError 400 as instances and disks answer it. */
export function requireZone({ catalogue }: World, zone: string | undefined): string {
  if (zone !== undefined && catalogue.zones.includes(zone)) return zone;
  throw invalidValue('zone', zone ?? '', 'Unknown zone.');
}
