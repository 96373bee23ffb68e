type Spent = { from: string; to: string; costUsd: number };

export type Burn = {
  /** The end of each day of the month, ms. */
  xs: number[];
  /** What was spent by then, dollars; null for days to come. */
  spent: (number | null)[];
  /** From today on, at the pace of the last week. */
  forecast: (number | null)[];
  spentUsd: number;
  monthEndUsd: number;
};

const dayMs = 86_400_000;
const paceDays = 7;

/**
 * A calendar month of UTC: what was spent of it, and what will be at the pace of the last seven days (fewer, if it used none before).
 * `spentUsd` is what the ledger has of the month until now, with what was corrected, which no day has.
 */
export function burnOf(days: readonly Spent[], spentUsd: number, nowMs: number): Burn {
  const now = new Date(nowMs);
  const start = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
  const end = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1);
  const inMonth = days.filter(({ from }) => Date.parse(from) >= start);
  const recent = sinceFirstUse(days).filter(({ to }) => Date.parse(to) > nowMs - paceDays * dayMs);
  const recentMs = recent.reduce((sum, { from, to }) => sum + Math.min(nowMs, Date.parse(to)) - Date.parse(from), 0);
  const perMs = recentMs > 0 ? sumOf(recent) / recentMs : 0;
  const monthEndUsd = spentUsd + perMs * (end - nowMs);
  const past = [start, ...inMonth.map(({ to }) => Date.parse(to)).filter((at) => at < nowMs)];
  return {
    xs: [...past, nowMs, end],
    spent: [...past.map((at) => sumOf(inMonth.filter(({ to }) => Date.parse(to) <= at))), spentUsd, null],
    forecast: [...past.map(() => null), spentUsd, monthEndUsd],
    spentUsd,
    monthEndUsd,
  };
}

/** When it will have spent so much, at that pace; undefined within the month. */
export function reachedAt({ spentUsd, monthEndUsd, xs }: Burn, budgetUsd: number, nowMs: number): Date | undefined {
  const endMs = xs.at(-1) ?? nowMs;
  if (spentUsd >= budgetUsd) return new Date(nowMs);
  if (monthEndUsd <= budgetUsd) return undefined;
  return new Date(nowMs + ((budgetUsd - spentUsd) / (monthEndUsd - spentUsd)) * (endMs - nowMs));
}

const sumOf = (days: readonly Spent[]): number => days.reduce((sum, { costUsd }) => sum + costUsd, 0);

function sinceFirstUse(days: readonly Spent[]): readonly Spent[] {
  const first = days.findIndex(({ costUsd }) => costUsd > 0);
  return first === -1 ? [] : days.slice(first);
}
