import { Refusal } from '../../api/client.ts';
import { Section } from '../../parts/section.tsx';
import { groups } from './fields.ts';
import { SpecField } from './spec-field.tsx';
import { valueAt, type Spec } from './spec-path.ts';
import styles from './submit.module.css';

type SpecFormProps = { spec: Spec; error: unknown; onChange: ChangeField };

/** Another value of a field; undefined where it is left empty. */
export type ChangeField = (pointer: string, value: unknown) => void;

/** Each field shows what the service found wrong with it. */
export function SpecForm({ spec, error, onChange }: SpecFormProps) {
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
            onChange={(value) => onChange(field.pointer, value)}
          />
        ))}
      </div>
    </Section>
  ));
}
