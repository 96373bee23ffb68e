import { fromUsd } from '../../src/core/money.ts';
import { kindOf, numberIn, type Row } from './tables.ts';

/** On demand and spot, in micro-dollars an hour for the whole machine; null where there is no such price. */
type Prices = [onDemand: number | null, spot: number | null];

export type Machine = {
  machineType: string;
  kind: string;
  count: number;
  cpus: number;
  memoryGiB: number;
  priceDate: string;
  source: string;
  regions: Record<string, Prices>;
};

export type LeftOut = { what: string; why: string };

/** Above this per accelerator and hour it is a placeholder (SkyPilot writes 700 for "no price"), not a price. */
const highestPlausibleUsd = 100;

/** Cores and memory of a TPU host by chip (Cloud TPU documentation); the price table has none. */
const tpuHosts: Record<string, { cpus: number; memoryGiB: number }> = {
  v2: { cpus: 24, memoryGiB: 83 },
  v3: { cpus: 24, memoryGiB: 85 },
  v4: { cpus: 60, memoryGiB: 101 },
  v5e: { cpus: 28, memoryGiB: 48 },
  v5p: { cpus: 52, memoryGiB: 112 },
  v6e: { cpus: 45, memoryGiB: 180 },
};

/** The N1 host that goes with so many attached GPUs: four cores a GPU. */
const attachedHosts: Record<string, { maxCount: number }> = {
  T4: { maxCount: 4 },
  P100: { maxCount: 4 },
  V100: { maxCount: 8 },
};

/** Google Cloud's machines from the rows of prices.csv, whole-machine prices, and what had to be left out. */
export function buildMachines(rows: Row[]): { machines: Machine[]; leftOut: LeftOut[] } {
  const leftOut = new Map<string, string>();
  const priced = rows.filter((row) => row['cloud'] === 'gcp').filter((row) => hasPlausiblePrice(row, leftOut));
  const machines = new Map<string, Machine>();
  const add = (machine: Omit<Machine, 'regions'>, region: string, prices: Prices): void => {
    const known = machines.get(machine.machineType) ?? { ...machine, regions: {} };
    known.regions[region] = prices;
    machines.set(machine.machineType, known);
  };
  for (const machine of unpriced(rows)) machines.set(machine.machineType, machine);
  const hosts = new Map(
    priced.filter((row) => row['accelerator'] === '').map((row) => [`${row['machine_type']}@${row['region']}`, row]),
  );
  const h200Host = hostShareOfH200(priced);

  for (const row of priced) {
    const kind = row['accelerator'] === '' ? 'cpu' : kindOf[row['accelerator'] ?? ''];
    const name = row['machine_type'] ?? '';
    const region = row['region'] ?? '';
    if (kind === undefined) leftOut.set(name, 'a job spec has no name for this accelerator');
    else if (tpuHosts[kind] !== undefined) addTpu(row, kind, add);
    else if (attachedHosts[kind] !== undefined) addAttached(row, kind, hosts, add);
    else if (kind === 'H200') addH200(row, h200Host, add);
    else if (name.startsWith('gpu-only:'))
      leftOut.set(name, 'a price without its host, which is sold only as a whole machine');
    else add({ ...describe(row, kind), machineType: name }, region, pricesOf(row, 1));
  }
  return {
    machines: [...machines.values()].sort(byKindAndSize),
    leftOut: [...leftOut].map(([what, why]) => ({ what, why })),
  };
}

/** Machines without a price in the tables: they have one once the prices are read from Google. */
function unpriced(rows: Row[]): Machine[] {
  return rows.flatMap((row) => {
    const kind = kindOf[row['accelerator'] ?? ''];
    const isMachine = row['cloud'] === 'gcp' && numberIn(row, 'vcpus') !== undefined;
    if (kind === undefined || !isMachine || hasPlausiblePrice(row, new Map())) return [];
    return [{ ...describe(row, kind), machineType: row['machine_type'] ?? '', regions: {} }];
  });
}

type Add = (machine: Omit<Machine, 'regions'>, region: string, prices: Prices) => void;

function describe(row: Row, kind: string): Omit<Machine, 'regions' | 'machineType'> {
  const cpus = numberIn(row, 'vcpus') ?? 0;
  return {
    kind,
    count: kind === 'cpu' ? cpus : (numberIn(row, 'count') ?? 1),
    cpus,
    memoryGiB: numberIn(row, 'memory_gb') ?? 0,
    priceDate: dateOf(row),
    source: row['source_date'] === dateOf(row) ? 'Cloud Billing catalogue' : (row['source_date'] ?? ''),
  };
}

/** TPU rows are priced by chip, whatever slice names them. */
function addTpu(row: Row, kind: string, add: Add): void {
  const host = tpuHosts[kind] ?? { cpus: 0, memoryGiB: 0 };
  add({ ...describe(row, kind), machineType: kind, count: 1, ...host }, row['region'] ?? '', pricesOf(row, 1));
}

/** T4, P100 and V100 are attached to an N1 host, which has a price of its own. */
function addAttached(row: Row, kind: string, hosts: Map<string, Row>, add: Add): void {
  const region = row['region'] ?? '';
  for (let count = 1; count <= (attachedHosts[kind]?.maxCount ?? 0); count *= 2) {
    const host = hosts.get(`n1-standard-${4 * count}@${region}`);
    if (host === undefined) continue;
    const [gpuOnDemand, gpuSpot] = pricesOf(row, count);
    const [hostOnDemand, hostSpot] = pricesOf(host, 1);
    const machine = {
      ...describe(row, kind),
      machineType: `n1-standard-${4 * count}+${count}x${kind}`,
      count,
      cpus: 4 * count,
      memoryGiB: 15 * count,
    };
    add(machine, region, [sum(gpuOnDemand, hostOnDemand), sum(gpuSpot, hostSpot)]);
  }
}

/** What the a3-ultragpu host adds to its GPUs, from the one region where both prices are known. */
function hostShareOfH200(rows: Row[]): number {
  const whole = rows.find((row) => row['machine_type'] === 'a3-ultragpu-8g');
  const gpus = rows.find(
    (row) => row['machine_type']?.startsWith('gpu-only:H200') === true && row['region'] === whole?.['region'],
  );
  if (whole === undefined || gpus === undefined) return 0;
  return (pricesOf(whole, 1)[0] ?? 0) - (pricesOf(gpus, 1)[0] ?? 0);
}

/** H200 rows price the GPUs alone. The host is added at its on-demand price, also to spot, so that spot is not quoted too low. */
function addH200(row: Row, hostMicroUsd: number, add: Add): void {
  if (row['machine_type'] === 'a3-ultragpu-8g') return;
  const [onDemand, spot] = pricesOf(row, 1);
  const machine = { ...describe(row, 'H200'), machineType: 'a3-ultragpu-8g', cpus: 224, memoryGiB: 2952 };
  add(machine, row['region'] ?? '', [sum(onDemand, hostMicroUsd), sum(spot, hostMicroUsd)]);
}

function hasPlausiblePrice(row: Row, leftOut: Map<string, string>): boolean {
  const count = Math.max(1, numberIn(row, 'count') ?? 1);
  const onDemand = numberIn(row, 'on_demand_usd_h');
  if (onDemand !== undefined && onDemand > 0 && onDemand / count < highestPlausibleUsd) return true;
  leftOut.set(`${row['machine_type']} in ${row['region']}`, 'no price, or no plausible one, in the table');
  return false;
}

/** A spot price at or above the on-demand one is another SKU picked by mistake. */
function pricesOf(row: Row, factor: number): Prices {
  const onDemand = numberIn(row, 'on_demand_usd_h');
  const spot = numberIn(row, 'spot_usd_h');
  const isSpot = spot !== undefined && spot > 0 && onDemand !== undefined && spot < onDemand;
  return [onDemand === undefined ? null : fromUsd(onDemand * factor), isSpot ? fromUsd(spot * factor) : null];
}

function sum(left: number | null, right: number | null): number | null {
  return left === null || right === null ? null : left + right;
}

/** The day of the price; of a source that names only a year, that year's first, so that its age is never understated. */
function dateOf(row: Row): string {
  const text = row['source_date'] ?? '';
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return text;
  return `${/20\d\d/.exec(text)?.[0] ?? '2023'}-01-01`;
}

function byKindAndSize(left: Machine, right: Machine): number {
  return left.kind.localeCompare(right.kind) || left.count - right.count || left.cpus - right.cpus;
}
