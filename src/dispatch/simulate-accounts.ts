import { fromUsd, type MicroUsd } from '../core/money.ts';
import { hourMs } from '../core/time.ts';
import type { Policy, PoolPolicy } from '../protocol/tenant.ts';
import { ancestorsOf } from './hierarchy.ts';
import {
  concentrationWindowMs,
  floorOf,
  halfLifeMsOf,
  limitsOf,
  parentsOf,
  windowMsOf,
  type Limits,
} from './limits.ts';
import { takeEntry, useLeft, type Active, type Entry } from './simulate-entry.ts';
import { createWindow, type UseWindow } from './simulate-window.ts';
import type { Concentration, ShareCap, TenantUse } from './snapshot.ts';

export type Accounts = {
  start: (active: Active) => void;
  end: (active: Active, now: number) => void;
  /** What these and all above them may do and have used: what a snapshot of the live cycle would say at this moment. */
  uses: (tenantIds: Iterable<string>, now: number) => TenantUse[];
  concentration: (now: number) => Concentration | undefined;
};

export type AccountRules = {
  policies: ReadonlyMap<string, Policy>;
  poolPolicy: PoolPolicy;
  /** What all pools that can be counted could give at once. */
  poolPetaflops: number;
  /** Whether what runs counts with all it is expected to use, from its start. */
  entryCharge: boolean;
};

/** Of a tenant and all below it. */
type Account = {
  policy: Policy;
  limits: Limits;
  /** Itself, then each above it. */
  lineage: Account[];
  running: number;
  accelerators: Record<string, number>;
  petaflops: number;
  /** Petaflop-seconds that what runs is expected to use, beyond what is in the accounts already. */
  inFlight: number;
  /** Petaflop-seconds in the accounts, decayed to `decayedAt`. */
  decayedUse: number;
  decayedAt: number;
  shareCapUse: UseWindow | undefined;
  /** These of this tenant alone. */
  ownDecayedUse: number;
  ownInFlight: number;
  ownUse: UseWindow | undefined;
  reserved: MicroUsd;
  spent: MicroUsd;
  spentThisMonth: MicroUsd;
  month: string;
};

/** The ledger and the use of every tenant as a simulation keeps them: written at each end and each hour, as the real ones are. */
export function createAccounts(rules: AccountRules): Accounts {
  const { policies, poolPolicy, poolPetaflops } = rules;
  const { hhiCeiling = Infinity, largestShareCeiling = Infinity } = poolPolicy;
  const hasCeiling = hhiCeiling !== Infinity || largestShareCeiling !== Infinity;
  const halfLifeMs = halfLifeMsOf(poolPolicy);
  const accounts = createAccountBook(policies, hasCeiling);
  const ledger = createLedger(accounts, createPoolUses(policies), halfLifeMs);
  const shareCapOf = ({ policy, shareCapUse, inFlight }: Account, now: number): ShareCap | undefined => {
    if (policy.shareCap === undefined || shareCapUse === undefined) return undefined;
    const { share, mode = 'soft' } = policy.shareCap;
    const lengthMs = windowMsOf(policy.shareCap);
    return {
      share,
      mode,
      ownPetaflopSeconds: shareCapUse.since(now) + inFlight,
      poolPetaflopSeconds: ledger.poolUse(lengthMs, now),
      floorPetaflopSeconds: floorOf(poolPetaflops, lengthMs),
    };
  };
  return {
    start: ledger.start,
    end: ledger.end,
    uses: (tenantIds, now) => {
      ledger.writeHours(now);
      const asked = new Set([...tenantIds].flatMap((id) => accounts.of(id).lineage));
      return [...asked].map((account) => ({
        ...useOf(account, rules, halfLifeMs, now),
        shareCap: shareCapOf(account, now),
        windowUse: windowUseOf(account, now),
      }));
    },
    concentration: (now) => {
      if (!hasCeiling) return undefined;
      const amounts = accounts.all().map((account) => windowUseOf(account, now));
      return {
        hhiCeiling,
        largestShareCeiling,
        squaredPetaflopSeconds: amounts.reduce((sum, amount) => sum + amount * amount, 0),
        largestPetaflopSeconds: amounts.reduce((largest, amount) => Math.max(largest, amount), 0),
        poolPetaflopSeconds: amounts.reduce((sum, amount) => sum + amount, 0),
        floorPetaflopSeconds: floorOf(poolPetaflops, concentrationWindowMs),
      };
    },
  };
}

function windowUseOf({ ownUse, ownInFlight }: Account, now: number): number {
  return ownUse === undefined ? 0 : ownUse.since(now) + ownInFlight;
}

/** Writes what runs into the accounts of its tenant and of all above it. */
function createLedger(accounts: AccountBook, poolUses: Map<number, UseWindow>, halfLifeMs: number) {
  const priced = new Set<Active>();
  let poolInFlight = 0;
  let nextHour = Infinity;

  const write = (running: Active, to: number): void => {
    const entry = takeEntry(running, to);
    poolInFlight -= entry.left;
    for (const window of poolUses.values()) window.add(to, entry.petaflopSeconds);
    const own = accounts.of(running.tenantId);
    own.ownUse?.add(to, entry.petaflopSeconds);
    own.ownInFlight -= entry.left;
    for (const account of own.lineage) post(account, entry, to, halfLifeMs);
    own.ownDecayedUse += decayed(own, entry, to, halfLifeMs);
  };
  const count = (running: Active, sign: 1 | -1): void => {
    const left = useLeft(running);
    const own = accounts.of(running.tenantId);
    own.ownInFlight += sign * left;
    poolInFlight += sign * left;
    for (const account of own.lineage) countMachines(account, running, sign);
  };
  /** In the order of time, whosever they are: a month, once it has turned, does not turn back. */
  const writeHours = (now: number): void => {
    if (now < nextHour) return;
    const due: { running: Active; to: number }[] = [];
    nextHour = Infinity;
    for (const running of priced) {
      let to = running.accountedTo + hourMs;
      for (; to <= now; to += hourMs) due.push({ running, to });
      nextHour = Math.min(nextHour, to);
    }
    for (const { running, to } of due.toSorted((a, b) => a.to - b.to)) write(running, to);
  };
  return {
    start: (running: Active): void => {
      count(running, 1);
      // Machines without a price are accounted at their ends alone.
      if (running.microUsdPerHour === 0) return;
      priced.add(running);
      nextHour = Math.min(nextHour, running.accountedTo + hourMs);
    },
    end: (running: Active, now: number): void => {
      writeHours(now);
      write(running, now);
      count(running, -1);
      priced.delete(running);
    },
    writeHours,
    poolUse: (lengthMs: number, now: number): number => (poolUses.get(lengthMs)?.since(now) ?? 0) + poolInFlight,
  };
}

type AccountBook = ReturnType<typeof createAccountBook>;

function createAccountBook(policies: ReadonlyMap<string, Policy>, hasCeiling: boolean) {
  const parents = parentsOf(policies);
  const accounts = new Map<string, Account>();
  const of = (tenantId: string): Account => {
    const known = accounts.get(tenantId);
    if (known !== undefined) return known;
    const policy = policies.get(tenantId) ?? {};
    const account = newAccount(policy, limitsOf(tenantId, policy, parents), hasCeiling);
    accounts.set(tenantId, account);
    account.lineage = [account, ...ancestorsOf(tenantId, parents).map(of)];
    return account;
  };
  return { of, all: () => [...accounts.values()] };
}

/** Of all tenants together, for each window that a share cap has. */
function createPoolUses(policies: ReadonlyMap<string, Policy>): Map<number, UseWindow> {
  const lengths = [...policies.values()].flatMap(({ shareCap }) =>
    shareCap === undefined ? [] : windowMsOf(shareCap),
  );
  return new Map(lengths.map((lengthMs) => [lengthMs, createWindow(lengthMs)]));
}

function newAccount(policy: Policy, limits: Limits, hasCeiling: boolean): Account {
  return {
    policy,
    limits,
    lineage: [],
    running: 0,
    accelerators: {},
    petaflops: 0,
    inFlight: 0,
    decayedUse: 0,
    decayedAt: 0,
    ownDecayedUse: 0,
    shareCapUse: policy.shareCap && createWindow(windowMsOf(policy.shareCap)),
    ownInFlight: 0,
    ownUse: hasCeiling ? createWindow(concentrationWindowMs) : undefined,
    reserved: 0,
    spent: 0,
    spentThisMonth: 0,
    month: '',
  };
}

/** An entry is dated at its end. One that is written late is as old as it would be, had it been written in time. */
function post(account: Account, entry: Entry, at: number, halfLifeMs: number): void {
  const { petaflopSeconds, microUsd, ofReservation, left } = entry;
  if (at > account.decayedAt) decay(account, at, halfLifeMs);
  account.decayedUse += decayed(account, entry, at, halfLifeMs);
  account.shareCapUse?.add(at, petaflopSeconds);
  account.inFlight -= left;
  account.reserved -= ofReservation;
  turnMonth(account, at);
  account.spent += microUsd;
  account.spentThisMonth += microUsd;
}

function decayed({ decayedAt }: Account, { petaflopSeconds }: Entry, at: number, halfLifeMs: number): number {
  return petaflopSeconds * 2 ** ((at - decayedAt) / halfLifeMs);
}

function decay(account: Account, now: number, halfLifeMs: number): void {
  const left = 2 ** ((account.decayedAt - now) / halfLifeMs);
  account.decayedUse *= left;
  account.ownDecayedUse *= left;
  account.decayedAt = now;
}

function turnMonth(account: Account, at: number): void {
  if (account.policy.budget === undefined) return;
  const month = new Date(at).toISOString().slice(0, 7);
  if (month === account.month) return;
  account.month = month;
  account.spentThisMonth = 0;
}

function countMachines(account: Account, running: Active, sign: 1 | -1): void {
  const { choice, reservedLeft } = running;
  const { kind, count } = choice.accelerators;
  account.running += sign;
  account.accelerators[kind] = (account.accelerators[kind] ?? 0) + sign * count;
  account.petaflops += sign * choice.petaflops;
  account.inFlight += sign * useLeft(running);
  account.reserved += sign * reservedLeft;
  if (account.running > 0) return;
  // What rounding left over.
  account.petaflops = 0;
  account.inFlight = 0;
}

function useOf(account: Account, { entryCharge }: AccountRules, halfLifeMs: number, now: number) {
  const { limits, policy, running, accelerators, petaflops, spent, reserved } = account;
  turnMonth(account, now);
  decay(account, now, halfLifeMs);
  const monthly = fromUsd(policy.budget?.monthlyUsd ?? Infinity) - account.spentThisMonth;
  const total = fromUsd(policy.budget?.totalUsd ?? Infinity) - spent;
  return {
    ...limits,
    decayedUse: account.decayedUse + (entryCharge ? account.inFlight : 0),
    ownDecayedUse: account.ownDecayedUse + (entryCharge ? account.ownInFlight : 0),
    running,
    accelerators,
    petaflops,
    budgetLeft: Math.floor(Math.min(monthly, total) - reserved),
  };
}
