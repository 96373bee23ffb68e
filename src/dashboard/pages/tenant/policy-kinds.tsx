import { Button, NumberInput, TextInput } from '@mantine/core';
import type { FieldsProps, KindDraft } from './policy-draft.ts';
import styles from './policy-editor.module.css';

const amounts = [
  ['guaranteed', 'Guaranteed', 'none'],
  ['borrowing', 'Borrows up to', 'all there is'],
  ['lending', 'Lends up to', 'all idle'],
  ['cap', 'At most', 'no limit'],
] as const;

/** Of each kind of accelerator: what is its own, what it may take of others, what it leaves to them, and the most it may have. */
export function PolicyKinds({ draft: { kinds }, change, faultOfKind, isReadOnly }: FieldsProps) {
  const replace = (at: number, part: Partial<KindDraft>) =>
    change({ kinds: kinds.map((row, index) => (index === at ? { ...row, ...part } : row)) });
  return (
    <div className={styles.kinds}>
      {kinds.map((row, at) => (
        // Its place is its key: a row has no name before it is typed.
        <fieldset key={at} className={styles.kind}>
          <legend className="unseen">{row.kind === '' ? `Kind ${at + 1}` : row.kind}</legend>
          <TextInput
            label="Kind"
            placeholder="H100, cpu"
            value={row.kind}
            error={faultOfKind(row, 'kind')}
            readOnly={isReadOnly}
            onChange={(event) => replace(at, { kind: event.currentTarget.value })}
          />
          {amounts.map(([field, label, placeholder]) => (
            <NumberInput
              key={field}
              label={label}
              placeholder={placeholder}
              value={row[field]}
              error={faultOfKind(row, field)}
              readOnly={isReadOnly}
              hideControls
              onChange={(value) => replace(at, { [field]: value })}
            />
          ))}
          {!isReadOnly && (
            <Button
              className={styles.remove}
              variant="subtle"
              color="red"
              aria-label={`Remove ${row.kind === '' ? 'this kind' : row.kind}`}
              onClick={() => change({ kinds: kinds.filter((_, index) => index !== at) })}
            >
              Remove
            </Button>
          )}
        </fieldset>
      ))}
      {!isReadOnly && (
        <Button
          variant="default"
          size="xs"
          onClick={() =>
            change({ kinds: [...kinds, { kind: '', guaranteed: '', borrowing: '', lending: '', cap: '' }] })
          }
        >
          Add a kind of accelerator
        </Button>
      )}
    </div>
  );
}
