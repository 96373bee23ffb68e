import { stringify } from 'yaml';
import type { JobSpec } from '../../../../infra/cli/generated/api.ts';
import { Section } from '../../parts/section.tsx';
import styles from './artifact-view.module.css';

/** What was submitted, as it was. */
export function SpecView({ spec }: { spec: JobSpec }) {
  return (
    <Section title="Spec">
      <div className={styles.view}>
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls is reached by the keyboard */}
        <pre tabIndex={0}>{stringify(spec, { lineWidth: 0 })}</pre>
      </div>
    </Section>
  );
}
