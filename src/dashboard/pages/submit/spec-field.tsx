import { Select, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import { textOf, valueOf, type Field } from './fields.ts';
import styles from './submit.module.css';

type SpecFieldProps = { field: Field; value: unknown; fault: string | undefined; onChange: (value: unknown) => void };

/** One field of the spec. What was typed stays as it was typed. */
export function SpecField({ field, value, fault, onChange }: SpecFieldProps) {
  const { kind, label, description, placeholder, isRequired, isWide, choices } = field;
  const shown = textOf(kind, value);
  const [typed, setTyped] = useState(shown ?? '');
  const change = (text: string) => {
    setTyped(text);
    onChange(valueOf(kind, text));
  };
  const looks = {
    label,
    description,
    placeholder,
    error: fault,
    required: isRequired === true,
    className: isWide === true ? styles.wide : undefined,
  };
  if (shown === undefined) return <TextInput {...looks} value="as in the YAML" readOnly />;
  if (choices !== undefined)
    return (
      <Select
        {...looks}
        data={choices}
        value={typed === '' ? null : typed}
        clearable
        onChange={(text) => change(text ?? '')}
      />
    );
  if (kind === 'lines' || kind === 'list' || kind === 'pairs')
    return (
      <Textarea
        {...looks}
        autosize
        minRows={kind === 'lines' ? 2 : 1}
        maxRows={14}
        classNames={{ input: styles.code }}
        spellCheck={false}
        value={typed}
        onChange={(event) => change(event.currentTarget.value)}
      />
    );
  return (
    <TextInput
      {...looks}
      spellCheck={false}
      inputMode={kind === 'number' ? 'decimal' : undefined}
      value={typed}
      onChange={(event) => change(event.currentTarget.value)}
    />
  );
}
