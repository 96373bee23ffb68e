import type { Policy } from '../../../../infra/cli/generated/api.ts';

/** '' where nothing limits; what is no number yet stays as it was typed. */
export type Amount = number | string;

export type KindDraft = { kind: string; guaranteed: Amount; borrowing: Amount; lending: Amount; cap: Amount };

/** A policy as its form has it. */
export type Draft = {
  weight: Amount;
  priorityCeiling: Amount;
  monthlyUsd: Amount;
  totalUsd: Amount;
  sharePercent: Amount;
  shareWindow: string;
  shareMode: 'soft' | 'hard';
  runningJobs: Amount;
  queuedJobs: Amount;
  computePflops: Amount;
  kinds: KindDraft[];
  providers: string;
  regions: string;
  parent: string;
};

/** What each part of the form is given. */
export type FieldsProps = {
  draft: Draft;
  change: (part: Partial<Draft>) => void;
  /** What is wrong with a field, by its name. */
  faultOf: (field: keyof Draft) => string | undefined;
  /** The same of a cell of a row of kinds. */
  faultOfKind: (row: KindDraft, field: keyof KindDraft) => string | undefined;
  isReadOnly: boolean;
};

/** Where the API names a fault of a field. */
export const pointers = {
  weight: '/weight',
  priorityCeiling: '/priorityCeiling',
  monthlyUsd: '/budget/monthlyUsd',
  totalUsd: '/budget/totalUsd',
  sharePercent: '/shareCap/share',
  shareWindow: '/shareCap/window',
  runningJobs: '/caps/runningJobs',
  queuedJobs: '/caps/queuedJobs',
  computePflops: '/caps/computePflops',
  providers: '/providers',
  regions: '/regions',
  parent: '/parent',
} as const satisfies Partial<Record<keyof Draft, string>>;

const kindPointers = {
  guaranteed: '/guaranteed',
  borrowing: '/borrowing',
  lending: '/lending',
  cap: '/caps/accelerators',
} as const;

/** Where the API names a fault of a kind's amount: a JSON pointer (RFC 6901). */
export function kindPointer(kind: string, field: keyof typeof kindPointers): string {
  return `${kindPointers[field]}/${kind.trim().replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** What is wrong with a row before the API is asked: it would get no row without a name, and one row of each name. */
export function faultOfName(row: KindDraft, { kinds }: Draft): string | undefined {
  const kind = row.kind.trim();
  if (kind === '')
    return [row.guaranteed, row.borrowing, row.lending, row.cap].every((amount) => amount === '')
      ? undefined
      : 'Name the kind, such as H100 or cpu.';
  const first = kinds.find((other) => other.kind.trim() === kind);
  return first === row ? undefined : `${kind} has a row above.`;
}

export function draftOf({ budget = {}, shareCap, caps = {}, ...policy }: Policy): Draft {
  const amount = (value: number | undefined): Amount => value ?? '';
  return {
    weight: amount(policy.weight),
    priorityCeiling: amount(policy.priorityCeiling),
    monthlyUsd: amount(budget.monthlyUsd),
    totalUsd: amount(budget.totalUsd),
    sharePercent: amount(shareCap && Number((shareCap.share * 100).toFixed(4))),
    shareWindow: shareCap?.window ?? '30d',
    shareMode: shareCap?.mode ?? 'soft',
    runningJobs: amount(caps.runningJobs),
    queuedJobs: amount(caps.queuedJobs),
    computePflops: amount(caps.computePflops),
    kinds: kindsOf(policy, caps.accelerators),
    providers: (policy.providers ?? []).join(', '),
    regions: (policy.regions ?? []).join(', '),
    parent: policy.parent ?? '',
  };
}

function kindsOf({ guaranteed = {}, borrowing = {}, lending = {} }: Policy, capped: Record<string, number> = {}) {
  const kinds = new Set([guaranteed, borrowing, lending, capped].flatMap((counts) => Object.keys(counts)));
  return [...kinds].map((kind): KindDraft => ({
    kind,
    guaranteed: guaranteed[kind] ?? '',
    borrowing: borrowing[kind] ?? '',
    lending: lending[kind] ?? '',
    cap: capped[kind] ?? '',
  }));
}

/** What is left out does not limit. Kinds stand in one order, however they were typed or stored: policies are compared by their text. */
export function policyOf(draft: Draft): Policy {
  const kinds = draft.kinds
    .map((row) => ({ ...row, kind: row.kind.trim() }))
    .toSorted((a, b) => (a.kind < b.kind ? -1 : 1));
  const countsOf = (field: Exclude<keyof KindDraft, 'kind'>) =>
    Object.fromEntries(
      kinds.flatMap((row) => (row.kind === '' || row[field] === '' ? [] : [[row.kind, row[field]]])),
    ) as Record<string, number>;
  const percent = given(draft.sharePercent);
  return without({
    weight: given(draft.weight),
    parent: draft.parent.trim() === '' ? undefined : draft.parent.trim(),
    guaranteed: filled(countsOf('guaranteed')),
    borrowing: filled(countsOf('borrowing')),
    lending: filled(countsOf('lending')),
    caps: filled(
      without({
        runningJobs: given(draft.runningJobs),
        queuedJobs: given(draft.queuedJobs),
        accelerators: filled(countsOf('cap')),
        computePflops: given(draft.computePflops),
      }),
    ),
    shareCap:
      percent === undefined
        ? undefined
        : { share: shareOf(percent), window: draft.shareWindow.trim(), mode: draft.shareMode },
    budget: filled(without({ monthlyUsd: given(draft.monthlyUsd), totalUsd: given(draft.totalUsd) })),
    priorityCeiling: given(draft.priorityCeiling),
    providers: listOf(draft.providers),
    regions: listOf(draft.regions),
  });
}

/** What is no number goes to the API as it is, which says so at its field. */
const given = (amount: Amount): number | undefined => (amount === '' ? undefined : (amount as number));

const shareOf = (percent: number): number => (typeof percent === 'number' ? percent / 100 : percent);

const filled = <T extends object>(part: T): T | undefined => (Object.keys(part).length === 0 ? undefined : part);

/** Without what is undefined. */
function without<T extends object>(fields: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

function listOf(text: string): string[] | undefined {
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  return words.length === 0 ? undefined : words;
}
