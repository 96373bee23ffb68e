/** What a GPU of one's own costs an hour where the operator does not say: what it loses in value, and its power. */
type Cost = { usd: number; watts: number };

const yearsOfUse = 4;
const hoursOfUse = yearsOfUse * 8760;
const usdPerKwh = 0.12;

/** Of the building: cooling and losses. */
const powerUsageEffectiveness = 1.4;

/** Street prices of 2025 and board power by the data sheets, to within a third. */
const gpus: Record<string, Cost> = {
  T4: { usd: 1_500, watts: 70 },
  P100: { usd: 1_500, watts: 250 },
  V100: { usd: 4_000, watts: 300 },
  L4: { usd: 2_500, watts: 72 },
  A10G: { usd: 3_000, watts: 150 },
  A100: { usd: 9_000, watts: 400 },
  'A100-80GB': { usd: 14_000, watts: 400 },
  H100: { usd: 28_000, watts: 700 },
  H200: { usd: 32_000, watts: 700 },
  B200: { usd: 40_000, watts: 1_000 },
};

/** A GPU that weir has no name for is taken for one of the middle. */
const otherGpu: Cost = { usd: 3_000, watts: 250 };

/** Dollars an hour of a GPU of this kind, to the tenth of a cent. */
export function ownUsdPerGpuHour(kind: string): number {
  const { usd, watts } = gpus[kind] ?? otherGpu;
  const exact = usd / hoursOfUse + (watts / 1000) * powerUsageEffectiveness * usdPerKwh;
  return Math.round(exact * 1000) / 1000;
}
