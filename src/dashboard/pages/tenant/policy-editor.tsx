import { Button, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { NewSimulation, Policy, Simulation } from '../../../../infra/cli/generated/api.ts';
import { api, bodyOf, Refusal } from '../../api/client.ts';
import { Failing } from '../../parts/states.tsx';
import { draftOf, faultOfName, kindPointer, pointers, policyOf, type Draft, type FieldsProps } from './policy-draft.ts';
import styles from './policy-editor.module.css';
import { PolicyFields } from './policy-fields.tsx';
import { PolicyPreview } from './policy-preview.tsx';

const weekMs = 7 * 86_400_000;

type EditorProps = { tenantId: string; policy: Policy; isOperator: boolean };

/** The policy as a form. Before it is saved, it shows what the last week would have been under it. */
export function PolicyEditor({ tenantId, policy, isOperator }: EditorProps) {
  const queryClient = useQueryClient();
  const [draft, setDraft] = useState<Draft>(() => draftOf(policy));
  const [previewed, setPreviewed] = useState('');
  const wanted = policyOf(draft);
  const text = JSON.stringify(wanted);
  const isChanged = text !== JSON.stringify(policyOf(draftOf(policy)));

  const preview = useMutation({
    mutationFn: () => previewOf(tenantId, wanted),
    onSettled: () => setPreviewed(text),
  });
  const save = useMutation({
    mutationFn: () =>
      bodyOf(api.PUT('/v1/tenants/{tenant}/policy', { params: { path: { tenant: tenantId } }, body: wanted })),
    onSuccess: () => {
      preview.reset();
      return queryClient.invalidateQueries();
    },
  });
  // A fault of the policy is at its field, whether the simulation or the change itself found it.
  const faults = [
    ...faultsOf(save.error),
    ...faultsOf(preview.error).map((fault) => ({
      ...fault,
      pointer: fault.pointer.replace(`/policies/${tenantId}`, ''),
    })),
  ];
  const isNamed = draft.kinds.every((row) => faultOfName(row, draft) === undefined);
  const isPreviewed = previewed === text && !preview.isPending;

  return (
    <>
      <PolicyFields
        draft={draft}
        change={(part) => {
          setDraft({ ...draft, ...part });
          save.reset();
          // What was said of the former draft may hold no more; its preview is shown again when it is typed again.
          if (preview.isError) preview.reset();
        }}
        {...faultFinders(faults, draft)}
        isReadOnly={!isOperator}
      />
      {isPreviewed && preview.data !== undefined && <PolicyPreview simulation={preview.data} tenantId={tenantId} />}
      {isPreviewed && preview.isError && <Failing error={preview.error} />}
      {save.isError && <Failing error={save.error} />}
      {isOperator && (
        <div className={styles.bar}>
          <Text size="sm" c="dimmed" role="status">
            {statusOf({ isChanged, isPreviewed, isSaved: save.isSuccess && !isChanged })}
          </Text>
          <Button variant="default" disabled={!isChanged} onClick={() => setDraft(draftOf(policy))}>
            Undo
          </Button>
          <Button
            variant="light"
            disabled={!isChanged || !isNamed}
            loading={preview.isPending}
            onClick={() => preview.mutate()}
          >
            Preview last week
          </Button>
          <Button
            disabled={!isChanged || !isNamed || !isPreviewed}
            loading={save.isPending}
            onClick={() => save.mutate()}
          >
            Save the policy
          </Button>
        </div>
      )}
    </>
  );
}

function previewOf(tenantId: string, policy: Policy): Promise<Simulation> {
  const to = new Date();
  const from = new Date(to.getTime() - weekMs);
  const body: NewSimulation = {
    period: { from: from.toISOString(), to: to.toISOString() },
    policies: { [tenantId]: policy },
    baseline: true,
  };
  return bodyOf(api.POST('/v1/simulations', { body }));
}

function faultsOf(error: unknown): { pointer: string; detail: string }[] {
  return error instanceof Refusal ? (error.problem.errors ?? []) : [];
}

/** What is wrong, by where it is shown. */
function faultFinders(
  faults: { pointer: string; detail: string }[],
  draft: Draft,
): Pick<FieldsProps, 'faultOf' | 'faultOfKind'> {
  return {
    faultOf: (field) => {
      const pointer = field in pointers ? pointers[field as keyof typeof pointers] : undefined;
      return faults.find((fault) => pointer !== undefined && fault.pointer.startsWith(pointer))?.detail;
    },
    faultOfKind: (row, field) =>
      field === 'kind'
        ? faultOfName(row, draft)
        : faults.find(({ pointer }) => pointer === kindPointer(row.kind, field))?.detail,
  };
}

function statusOf(is: { isChanged: boolean; isPreviewed: boolean; isSaved: boolean }): string {
  if (is.isSaved) return 'Saved. It holds from the next round of dispatch.';
  if (!is.isChanged) return 'What is left empty does not limit.';
  return is.isPreviewed
    ? 'This is what the last week would have been.'
    : 'Look at what the last week would have been, then save.';
}
