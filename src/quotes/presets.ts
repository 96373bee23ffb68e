import type { Workload } from '../protocol/job-spec.ts';
import table from './catalogue/presets.json' with { type: 'json' };

/** A well-known model or training run. What a spec states beside the preset takes the preset's place. */
export type Preset = {
  workload: Workload;
  /** The MLPerf benchmark of the same network on the same data, as its results name it; null where there is none. */
  class: string | null;
  /** Where the figures are published. */
  source: string;
  /** What the publication leaves open, and what is taken instead. */
  note: string | null;
};

type Row = { name: string; workload: Workload; class?: string; source: string; note?: string };

/** By name. The file has one a line, so that a new one is a readable diff. */
export const presets: ReadonlyMap<string, Preset> = new Map(
  (table.presets as Row[]).map(({ name, workload, class: ofMlperf = null, source, note = null }) => [
    name,
    { workload, class: ofMlperf, source, note },
  ]),
);
