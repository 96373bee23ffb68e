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
  /** Set where machines come only so many together, as the hosts of a TPU slice do: the members above are of each. */
  hosts?: number;
  /** Seconds from asking for the machine to the first line of the job, as usually seen. */
  startSeconds: { p50: number; p90: number };
  /** What a matrix product in fp32 reaches on one of its cores, in GFLOP/s, as measured; left out where it was not. */
  gigaflopsPerCore?: number;
  /** Seconds between preemptions of one such spot machine, as seen; left out where nothing was. */
  spotMeanUpSeconds?: number;
};

/** A machine with what it costs in one region and market, whether or not it can be bought: a price list has no zones. */
export type PricedMachine = {
  region: string;
  machineType: string;
  kind: string;
  count: number;
  cpus: number;
  memoryBytes: number;
  market: Offer['market'];
  microUsdPerHour: number;
  priceDate: string;
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
  region: string;
  zone: string;
  machineType: string;
  /** Of the whole machine; cores where the kind is cpu. */
  accelerators: { kind: string; count: number };
  market: Offer['market'];
  limits: Limits;
  image: string | null;
  brokerUrl: string;
  bootstrapToken: string;
  /** Which of the attempt's machines this is, and the bootstrap tokens of all of them: some are made only together, as the hosts of a slice. */
  gang: { node: number; bootstrapTokens: string[] };
  /** The machine deletes itself after so long, whatever happened to us. */
  maxRunSeconds: number;
};

/** The runner as one file that starts by itself: where a new machine fetches it, for a while, and the SHA-256 of it in hex. */
export type RunnerExecutable = { url: string; sha256: string };

export type SeenInstance = {
  name: string;
  zone: string;
  labels: InstanceRequest['labels'];
  /** Set where it is off and only has to be deleted: since then nobody pays for its time. */
  stoppedAt?: Date;
};

/** What a provider did not have or did not give, and for which of its offers that holds: those that are like `of` in all that it names. */
export type Shortage = {
  /** It had none; a limit of our account was reached; it refuses us until an operator changes something. */
  cause: 'stockout' | 'quota' | 'refused';
  of: { region?: string; zone?: string; machineType?: string; kind?: string; market?: Offer['market'] };
  /** Whose move it is, and what would help. */
  message: string;
  /** Where the provider says that it has some, best first. */
  zonesAvailable: string[];
};

/** A limit of the operator's account with a provider on what may be up at once, and which of the provider's machines count against it. */
export type AccountQuota = {
  /** As the provider names it. */
  metric: string;
  /** Undefined: over all regions. */
  region?: string;
  /** Of accelerator, or `cpu`; undefined where machines of several kinds count. */
  kind?: string;
  unit: 'GPUs' | 'cores';
  limit: number;
  /** By all machines of the account when it was read, those of others than weir included. */
  used: number;
  /** What one machine takes of it, of each that takes any. */
  takes: { machineType: string; market: Offer['market']; amount: number }[];
  /** Where an operator asks for more. */
  raiseAt: string;
};

/** Machines of which a limit is not known: those that are like `of` in all that it names. */
export type UnknownQuota = { of: { region?: string; kind?: string; market?: Offer['market'] }; message: string };

export type QuotaReading = { quotas: AccountQuota[]; unknown: UnknownQuota[] };

/** A seller of machines. One folder each, one line in registry.ts, and the shared contract test. */
export type Provider = {
  name: string;
  /** What a job of these needs can buy. */
  sellables: () => Promise<Sellable[]>;
  /** Undefined where the provider does not run out in a way that we could count. */
  capacity: () => Promise<Capacity | undefined>;
  /**
   * Asks for the limits of the account that machines are made in. Left out: it has none that can be read.
   * @throws WeirError `unavailable` where it is worth asking again; what an operator has to change makes a part unknown instead.
   */
  quotas?: () => Promise<QuotaReading>;
  /** Whether each job has machines of its own, and with them all that they have. Left out: it takes a part, and no more. */
  givesWholeMachines?: boolean;
  /** Whether asking for the first machine of an attempt makes all of them, as with the hosts of a slice. Left out: of no type. */
  madeTogether?: (machineType: string) => boolean;
  /** So long a machine may wait for capacity before it comes up. Left out: none waits. */
  capacityWaitMs?: number;
  /** Whether jobs of different tenants can run here side by side. */
  isolatesTenants: boolean;
  /** What an operator should read at start, such as how far jobs are kept apart. */
  notice?: string;
  /**
   * Makes the machine; success where it is there already. Answers since when it is paid, where the provider says so.
   * @throws WeirError `no-capacity` on shortage, `unavailable` when worth repeating, `invalid` when never; of the first and the last
   * `extra.shortage` may say of what else that holds.
   */
  create: (request: InstanceRequest) => Promise<Date | undefined>;
  /**
   * Asks for its end; success where it is gone. It is gone only when `list` no longer shows it. `machineType`: where it is known what
   * was asked for, and so which of the provider's services has it.
   */
  destroy: (instance: { name: string; zone: string; machineType?: string }) => Promise<void>;
  /**
   * When a machine that is off or gone stopped being paid, as far as the provider keeps a record of it. Left out, and undefined: it
   * does not know. Never rejects.
   */
  endedAt?: (instance: { name: string; zone: string }) => Promise<Date | undefined>;
  /** All machines with our installation's label. */
  list: () => Promise<SeenInstance[]>;
  /** Set where its machines are this host, which alone sees them: of those that share a data directory it is the same. */
  host?: string;
  /** Where its machines are this one: ends them all, for a service that stops for good. Their jobs go on from their checkpoints. */
  evacuate?: () => Promise<void>;
  close: () => Promise<void>;
};
