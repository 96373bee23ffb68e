import { Refusal } from '../../api/client.ts';
import { Section } from '../../parts/section.tsx';
import { groups } from './fields.ts';
import { SpecField } from './spec-field.tsx';
import { valueAt, withValueAt, type Spec } from './spec-path.ts';
import styles from './submit.module.css';

/** Each field shows what the service found wrong with it. */
export function SpecForm({ spec, error, onChange }: { spec: Spec; error: unknown; onChange: (spec: Spec) => void }) {
  const faults = error instanceof Refusal ? (error.problem.errors ?? []) : [];
  return groups.map(({ title, hint, fields }) => (
    <Section key={title} title={title} hint={hint}>
      <div className={styles.fields}>
        {fields.map((field) => (
          <SpecField
            key={field.pointer}
            field={field}
            value={valueAt(spec, field.pointer)}
            fault={faults.find(({ pointer }) => pointer === field.pointer)?.detail}
            onChange={(value) => onChange(withValueAt(spec, field.pointer, value))}
          />
        ))}
      </div>
    </Section>
  ));
}
