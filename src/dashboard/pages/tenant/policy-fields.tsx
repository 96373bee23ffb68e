import { NumberInput, Select, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import { Section } from '../../parts/section.tsx';
import type { FieldsProps } from './policy-draft.ts';
import styles from './policy-editor.module.css';
import { PolicyKinds } from './policy-kinds.tsx';

type AmountName =
  | 'weight'
  | 'priorityCeiling'
  | 'monthlyUsd'
  | 'totalUsd'
  | 'sharePercent'
  | 'runningJobs'
  | 'queuedJobs'
  | 'computePflops';
type TextName = 'shareWindow' | 'providers' | 'regions' | 'parent';
type Looks = { label: string; description: string; placeholder?: string; prefix?: string; suffix?: string };

type AmountSpec = Looks & { amount: AmountName };
type TextSpec = Looks & { text: TextName };

type FieldProps<Spec> = FieldsProps & { field: Spec };

function AmountField({ field: { amount, ...looks }, draft, change, faultOf, isReadOnly }: FieldProps<AmountSpec>) {
  return (
    <NumberInput
      {...looks}
      value={draft[amount]}
      onChange={(value) => change({ [amount]: value })}
      error={faultOf(amount)}
      readOnly={isReadOnly}
      thousandSeparator=","
      hideControls
    />
  );
}

function TextField({ field: { text, ...looks }, draft, change, faultOf, isReadOnly }: FieldProps<TextSpec>) {
  return (
    <TextInput
      {...looks}
      value={draft[text]}
      onChange={(event) => change({ [text]: event.currentTarget.value })}
      error={faultOf(text)}
      readOnly={isReadOnly}
    />
  );
}

type Group = { title: string; hint?: string; fields: (AmountSpec | TextSpec)[] };

const none = 'no limit';

const queueAndMoney: Group = {
  title: 'Place in the queue and money',
  fields: [
    { amount: 'weight', label: 'Weight', description: 'Of the pool, when all compete', placeholder: '1' },
    {
      amount: 'priorityCeiling',
      label: 'Priority ceiling',
      description: 'Highest of its jobs, 0 to 100',
      placeholder: '100',
    },
    {
      amount: 'monthlyUsd',
      label: 'Monthly budget',
      description: 'By calendar month of UTC',
      placeholder: none,
      prefix: '$',
    },
    { amount: 'totalUsd', label: 'Total budget', description: 'Of all time', placeholder: none, prefix: '$' },
  ],
};
const shareCap: Group = {
  title: 'Cap on its share',
  hint: 'Looked at when a job is to start.',
  fields: [
    { amount: 'sharePercent', label: 'Share', description: 'Of what the pool gave', placeholder: none, suffix: ' %' },
    { text: 'shareWindow', label: 'Window', description: 'Such as 30d or 48h' },
  ],
};
const atOnce: Group = {
  title: 'At once',
  fields: [
    { amount: 'runningJobs', label: 'Running jobs', description: 'Provisioning and stopping too', placeholder: none },
    { amount: 'queuedJobs', label: 'Queued jobs', description: 'More are refused', placeholder: none },
    {
      amount: 'computePflops',
      label: 'Compute',
      description: 'At peak dense bf16 rate',
      placeholder: none,
      suffix: ' PFLOP/s',
    },
  ],
};
const where: Group = {
  title: 'Where, and under whom',
  fields: [
    { text: 'providers', label: 'Providers', description: 'With commas between', placeholder: 'all' },
    { text: 'regions', label: 'Regions', description: 'With commas between', placeholder: 'all' },
    { text: 'parent', label: 'Organisation above it', description: 'A tenant’s id', placeholder: 'none' },
  ],
};

function GroupOf({ group: { fields }, children, ...props }: FieldsProps & { group: Group; children?: ReactNode }) {
  return (
    <div className={styles.fields}>
      {fields.map((field) =>
        'amount' in field ? (
          <AmountField key={field.amount} {...props} field={field} />
        ) : (
          <TextField key={field.text} {...props} field={field} />
        ),
      )}
      {children}
    </div>
  );
}

/** All of a policy; what is left empty does not limit. */
export function PolicyFields(props: FieldsProps) {
  const { draft, change, isReadOnly } = props;
  return (
    <>
      <Section title={queueAndMoney.title}>
        <GroupOf {...props} group={queueAndMoney} />
      </Section>
      <Section title={shareCap.title} hint={shareCap.hint}>
        <GroupOf {...props} group={shareCap}>
          <Select
            label="Mode"
            description="soft: not while another waits"
            data={['soft', 'hard']}
            allowDeselect={false}
            value={draft.shareMode}
            readOnly={isReadOnly}
            onChange={(mode) => change({ shareMode: mode === 'hard' ? 'hard' : 'soft' })}
          />
        </GroupOf>
      </Section>
      <Section title={atOnce.title}>
        <GroupOf {...props} group={atOnce} />
        <PolicyKinds {...props} />
      </Section>
      <Section title={where.title}>
        <GroupOf {...props} group={where} />
      </Section>
    </>
  );
}
