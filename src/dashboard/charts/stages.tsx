import { tick } from '../parts/format.ts';
import styles from './stages.module.css';

/** A part of a row: what it was, from when to when. */
export type Stage = { row: string; state: string; fromMs: number; toMs: number; text: string };

/** Rows of bars over one axis of time. */
export function Stages({ label, stages }: { label: string; stages: Stage[] }) {
  const from = Math.min(...stages.map(({ fromMs }) => fromMs));
  const to = Math.max(...stages.map(({ toMs }) => toMs), from + 1000);
  const at = (ms: number) => `${((ms - from) / (to - from)) * 100}%`;
  const rows = Map.groupBy(stages, ({ row }) => row);
  const states = [...new Set(stages.map(({ state }) => state))];
  return (
    <figure className={styles.figure} aria-label={label}>
      <ol className={styles.rows}>
        {[...rows].map(([row, parts]) => (
          <li key={row} className={styles.row}>
            <span>{row}</span>
            <ul className={styles.track}>
              {parts.map(({ state, fromMs, toMs, text }, index) => (
                <li
                  key={index}
                  title={text}
                  data-state={state}
                  style={{ left: at(fromMs), width: `max(3px, ${((toMs - fromMs) / (to - from)) * 100}%)` }}
                >
                  <span className="unseen">{text}</span>
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ol>
      <div className={styles.axis} aria-hidden="true">
        <span>{tick(new Date(from), to - from)}</span>
        <span>{tick(new Date(to), to - from)}</span>
      </div>
      <ul className={styles.legend} aria-hidden="true">
        {states.map((state) => (
          <li key={state}>
            <i data-state={state} />
            {state}
          </li>
        ))}
      </ul>
    </figure>
  );
}
