import { Alert, Button, Group, SegmentedControl, Text, Textarea } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useLocation } from 'wouter';
import type { NewJob, NewQuote } from '../../../../infra/cli/generated/api.ts';
import { api, bodyOf, messageOf, Refusal } from '../../api/client.ts';
import { useMe } from '../../api/session.ts';
import { usePageTitle } from '../../parts/page-title.ts';
import { PageTitle, Section } from '../../parts/section.tsx';
import { TenantSelect } from '../../parts/tenant-select.tsx';
import { useKept } from '../../parts/use-kept.ts';
import { readYaml, withFieldOf } from './draft.ts';
import { allFields } from './fields.ts';
import { QuoteView } from './quote-view.tsx';
import { SpecForm, type ChangeField } from './spec-form.tsx';
import type { Spec } from './spec-path.ts';
import styles from './submit.module.css';

/** A job by form or as YAML: first what it will take and cost, then the submission. */
export function Submit() {
  usePageTitle('Submit');
  const [text, setText] = useKept('submit', '');
  const [view, setView] = useState('form');
  const [tenant, setTenant] = useKept<string | null>('submit.tenant', null);
  const read = readYaml(text);

  return (
    <>
      <PageTitle title="Submit a job" hint="You see what it will take and cost before it is submitted.">
        <SegmentedControl
          size="xs"
          aria-label="How to write it"
          data={[
            { value: 'form', label: 'Form' },
            { value: 'yaml', label: 'YAML' },
          ]}
          value={view}
          onChange={setView}
        />
      </PageTitle>
      <TenantChoice tenant={tenant} onChoose={setTenant} />
      {view === 'yaml' || read.spec === undefined ? (
        <Section title="Spec" hint="As in a file for the command line; JSON will do as well.">
          <Textarea
            aria-label="Spec as YAML"
            autosize
            minRows={14}
            maxRows={40}
            spellCheck={false}
            classNames={{ input: styles.code }}
            placeholder={'name: my-job\ncommand: python3 train.py\nresources:\n  cpus: 2'}
            error={read.fault}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
          />
        </Section>
      ) : null}
      {read.spec !== undefined && (
        <Quoting
          spec={read.spec}
          tenant={tenant}
          isForm={view === 'form'}
          onChange={(pointer, value) => setText(withFieldOf(text, pointer, value))}
          onSubmitted={() => setText('')}
        />
      )}
    </>
  );
}

/** An operator submits for a tenant; others for their own. */
function TenantChoice({ tenant, onChoose }: { tenant: string | null; onChoose: (tenant: string | null) => void }) {
  if (useMe()?.role !== 'operator') return null;
  return (
    <TenantSelect
      mb="md"
      maw={360}
      label="For the tenant"
      placeholder="Choose one"
      required
      value={tenant}
      onChange={onChoose}
    />
  );
}

type QuotingProps = {
  spec: Spec;
  tenant: string | null;
  isForm: boolean;
  onChange: ChangeField;
  onSubmitted: () => void;
};

function Quoting({ spec, tenant, isForm, onChange, onSubmitted }: QuotingProps) {
  const [, navigate] = useLocation();
  const [optionId, setOptionId] = useState<string>();
  const wanted = JSON.stringify([spec, tenant]);
  const params = { query: tenant === null ? {} : { tenant } };
  const quote = useMutation({
    mutationFn: async () => ({
      of: wanted,
      quote: await bodyOf(api.POST('/v1/quotes', { params, body: spec as NewQuote })),
    }),
    onSuccess: (answer) => setOptionId(answer.quote.recommended ?? undefined),
  });
  const quoteId = quote.data?.quote.id;
  const submit = useMutation({
    mutationFn: () =>
      bodyOf(
        api.POST('/v1/jobs', {
          // A quote is of one spec: submitted again after an answer that was lost, it is the same job.
          params: { ...params, header: { 'Idempotency-Key': `${quoteId}:${optionId}` } },
          body: { ...spec, quoteId, optionId } as NewJob,
        }),
      ),
    onSuccess: ({ id }) => {
      onSubmitted();
      navigate(`/jobs/${id}`);
    },
  });
  const isQuoted = quote.data?.of === wanted;
  const error = submit.error ?? quote.error;
  // The first field that is at fault comes into sight.
  useEffect(() => {
    if (error !== null) document.querySelector<HTMLElement>('main [aria-invalid="true"]')?.focus();
  }, [error]);
  const change: ChangeField = (pointer, value) => {
    submit.reset();
    onChange(pointer, value);
  };
  const askQuote = () => {
    submit.reset();
    quote.mutate();
  };
  const choose = (chosen: string) => {
    submit.reset();
    setOptionId(chosen);
  };

  return (
    <>
      {isForm && <SpecForm spec={spec} error={error} onChange={change} />}
      {error !== null && <Faults error={error} isForm={isForm} />}
      {quote.data !== undefined && isQuoted && (
        <QuoteView quote={quote.data.quote} optionId={optionId} onChoose={choose} />
      )}
      <Group justify="flex-end">
        <Text size="sm" c="dimmed" role="status">
          {quote.data !== undefined && !isQuoted ? 'The spec has changed since it was quoted.' : ''}
        </Text>
        <Button variant={isQuoted ? 'default' : 'filled'} loading={quote.isPending} onClick={askQuote}>
          {quote.data === undefined ? 'Quote' : 'Quote again'}
        </Button>
        <Button
          disabled={!isQuoted || optionId === undefined}
          loading={submit.isPending}
          onClick={() => submit.mutate()}
        >
          Submit the job
        </Button>
      </Group>
    </>
  );
}

/** What is wrong: beside the form only what no field of it shows. */
function Faults({ error, isForm }: { error: unknown; isForm: boolean }) {
  const faults = error instanceof Refusal ? (error.problem.errors ?? []) : [];
  const shownAtFields = new Set(isForm ? allFields.map(({ pointer }) => pointer) : []);
  const rest = faults.filter(({ pointer }) => !shownAtFields.has(pointer));
  return (
    <Alert
      color="red"
      variant="light"
      role="alert"
      mb="md"
      title={error instanceof Refusal ? (error.problem.title ?? 'weir refused this') : 'weir does not answer'}
    >
      <Text size="sm">{messageOf(error)}</Text>
      <ul>
        {rest.map(({ pointer, detail }) => (
          <li key={`${pointer} ${detail}`}>
            <code>{pointer === '' ? 'the whole' : pointer}</code>: {detail}
          </li>
        ))}
      </ul>
    </Alert>
  );
}
