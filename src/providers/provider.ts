import type { Offer } from '../protocol/quote.ts';

/** What can be bought of a provider, for one node. `dispatch` and `quotes` see a provider through this alone. */
export type Sellable = {
  region: string;
  zone: string | null;
  machineType: string;
  accelerators: { kind: string; count: number };
  cpus: number;
  memoryBytes: number;
  diskBytes: number;
  market: Offer['market'];
  microUsdPerHour: number;
  priceDate: string;
  /**
   * Set where a job takes only what it asks for and pays in proportion: its price is
   * `cpus × microUsdPerCpuHour + gpus × microUsdPerGpuHour`. The members above then describe the whole machine: the most there is,
   * and its price with all in use.
   */
  divisible?: { microUsdPerCpuHour: number; microUsdPerGpuHour: number };
  /** Seconds from asking for the machine to the first line of the job, as usually seen. */
  startSeconds: { p50: number; p90: number };
  /** What a matrix product in fp32 reaches on one of its cores, in GFLOP/s, as measured; left out where it was not. */
  gigaflopsPerCore?: number;
  /** Seconds between preemptions of one such spot machine, as seen; left out where nothing was. */
  spotMeanUpSeconds?: number;
};

/** What one node of an attempt may use of a machine; indexes are of the machine's GPUs. */
export type Limits = { cpus: number; memoryBytes: number; diskBytes: number; gpus: number[] };

/** What every node of an attempt may use: the same, but for the GPUs that each got. */
export type NodeLimits = Omit<Limits, 'gpus'> & { gpus: number[][] };

/**
 * What there is of a pool that runs out, in use or not, such as this machine; a cloud has none and answers `no-capacity` instead.
 * Where there are no GPUs, their count is 0 and their kind `none`.
 */
export type Capacity = { cpus: number; memoryBytes: number; diskBytes: number; gpus: { kind: string; count: number } };

export type InstanceRequest = {
  /** Ours and deterministic: asking twice makes one. */
  name: string;
  labels: { installation: string; tenant: string; job: string; attempt: number };
  zone: string;
  machineType: string;
  market: Offer['market'];
  limits: Limits;
  image: string | null;
  brokerUrl: string;
  bootstrapToken: string;
  /** The machine deletes itself after so long, whatever happened to us. */
  maxRunSeconds: number;
};

export type SeenInstance = { name: string; zone: string; labels: InstanceRequest['labels'] };

/** A seller of machines. One folder each, one line in registry.ts, and the shared contract test. */
export type Provider = {
  name: string;
  /** What a job of these needs can buy. */
  sellables: () => Promise<Sellable[]>;
  /** Undefined where the provider does not run out in a way that we could count. */
  capacity: () => Promise<Capacity | undefined>;
  /** Whether jobs of different tenants can run here side by side. */
  isolatesTenants: boolean;
  /** What an operator should read at start, such as how far jobs are kept apart. */
  notice?: string;
  /**
   * Makes the machine; success where it is there already.
   * @throws WeirError `no-capacity` on shortage, `unavailable` when worth repeating, `invalid` when never.
   */
  create: (request: InstanceRequest) => Promise<void>;
  /** Asks for its end; success where it is gone. It is gone only when `list` no longer shows it. */
  destroy: (instance: { name: string; zone: string }) => Promise<void>;
  /** All machines with our installation's label. */
  list: () => Promise<SeenInstance[]>;
  /** Where its machines are this one: ends them all, for a service that stops for good. Their jobs go on from their checkpoints. */
  evacuate?: () => Promise<void>;
  close: () => Promise<void>;
};
