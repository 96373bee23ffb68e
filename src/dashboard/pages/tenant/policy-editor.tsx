import { Alert, Button, Group, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { NewSimulation, Policy, Simulation } from '../../../../infra/cli/generated/api.ts';
import { api, bodyOf, queries, Refusal } from '../../api/client.ts';
import { Failing } from '../../parts/states.tsx';
import { useKept } from '../../parts/use-kept.ts';
import { draftOf, faultOfName, kindPointer, pointers, policyOf, type Draft, type FieldsProps } from './policy-draft.ts';
import styles from './policy-editor.module.css';
import { PolicyFields } from './policy-fields.tsx';
import { PolicyPreview } from './policy-preview.tsx';

const weekMs = 7 * 86_400_000;

type EditorProps = { tenantId: string; policy: Policy; isOperator: boolean };

/** The policy as a form. Before it is saved, it shows what the last week would have been under it. */
export function PolicyEditor({ tenantId, policy, isOperator }: EditorProps) {
  const { draft, setDraft, takeNewest, keepDraft, isChanged, isOvertaken, base } = useDraft(tenantId, policy);
  const wanted = policyOf(draft);
  const text = JSON.stringify(wanted);

  const preview = useMutation({ mutationFn: (asked: Policy) => previewOf(tenantId, asked) });
  const save = useSave(tenantId, base);
  // What was answered holds for what was asked, which may not be what stands there now.
  const isAbout = ({ variables }: { variables: Policy | undefined }) => JSON.stringify(variables) === text;
  const isPreviewed = preview.isSuccess && isAbout(preview);
  // Where the service can't replay the week, the policy may be right all the same: the change itself looks at it.
  const isRefused = preview.error instanceof Refusal && isAbout(preview);
  const failed = [save, preview].find((call) => call.isError && isAbout(call));
  // A fault of the policy is at its field, whether the simulation or the change itself found it.
  const faults = [
    ...(isAbout(save) ? faultsOf(save.error) : []),
    ...(isAbout(preview) ? faultsOf(preview.error) : []).map((fault) => ({
      ...fault,
      pointer: fault.pointer.replace(`/policies/${tenantId}`, ''),
    })),
  ];
  const isReady = isChanged && draft.kinds.every((row) => faultOfName(row, draft) === undefined);

  return (
    <>
      {isOvertaken && <Overtaken onTake={takeNewest} onKeep={keepDraft} />}
      <PolicyFields
        draft={draft}
        change={(part) => setDraft({ ...draft, ...part })}
        {...faultFinders(faults, draft)}
        isReadOnly={!isOperator}
      />
      {isPreviewed && <PolicyPreview simulation={preview.data} tenantId={tenantId} />}
      {failed !== undefined && <Failing error={failed.error} />}
      {isOperator && (
        <div className={styles.bar}>
          <Text size="sm" c="dimmed" role="status">
            {statusOf({
              isChanged,
              isPreviewed,
              isRefused,
              isSaved: save.data === 'saved' && isAbout(save) && !isChanged,
            })}
          </Text>
          <Button variant="default" disabled={!isChanged} onClick={takeNewest}>
            Undo
          </Button>
          <Button
            variant="light"
            disabled={!isReady}
            loading={preview.isPending}
            onClick={() => preview.mutate(wanted)}
          >
            Preview last week
          </Button>
          <Button
            disabled={!isReady || !(isPreviewed || isRefused) || isOvertaken}
            loading={save.isPending}
            onClick={() => save.mutate(wanted)}
          >
            Save the policy
          </Button>
        </div>
      )}
    </>
  );
}

/** What is typed, and the policy that it began from, beside the one that holds now. */
function useDraft(tenantId: string, policy: Policy) {
  const newest = textOf(policy);
  const [typed, setTyped] = useKept<{ draft: Draft; base: string } | null>(`policy.${tenantId}`, null);
  const { draft, base } = typed ?? { draft: draftOf(policy), base: newest };
  const text = JSON.stringify(policyOf(draft));
  const setDraft = (changed: Draft) => setTyped({ draft: changed, base });
  const takeNewest = () => setTyped(null);
  const keepDraft = () => setTyped({ draft, base: newest });
  // Where nothing is typed that the newest does not say, the form follows it.
  if (base !== newest && text === base) takeNewest();
  if (base !== newest && text === newest) keepDraft();
  const isChanged = text !== newest;
  return { draft, setDraft, takeNewest, keepDraft, isChanged, isOvertaken: base !== newest && isChanged, base };
}

const textOf = (policy: Policy): string => JSON.stringify(policyOf(draftOf(policy)));

/** Saves a policy, unless another holds than the one that it was made from: a policy is replaced as a whole. */
function useSave(tenantId: string, base: string) {
  const queryClient = useQueryClient();
  const params = { path: { tenant: tenantId } };
  return useMutation({
    mutationFn: async (wanted: Policy) => {
      const newest = await queryClient.fetchQuery({
        ...queries.queryOptions('get', '/v1/tenants/{tenant}/policy', { params }),
        staleTime: 0,
      });
      if (textOf(newest) !== base) return 'overtaken';
      await api.PUT('/v1/tenants/{tenant}/policy', { params, body: wanted });
      return 'saved';
    },
    onSuccess: () => queryClient.invalidateQueries(),
  });
}

function Overtaken({ onTake, onKeep }: { onTake: () => void; onKeep: () => void }) {
  return (
    <Alert color="yellow" variant="light" role="alert" mb="md" title="The policy was changed meanwhile">
      <Text size="sm">Somebody else saved it after you began. Saving what you typed would undo that.</Text>
      <Group gap="xs" mt="sm">
        <Button size="xs" variant="default" onClick={onTake}>
          Take the newer one
        </Button>
        <Button size="xs" variant="default" onClick={onKeep}>
          Keep what I typed
        </Button>
      </Group>
    </Alert>
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

function statusOf(is: { isChanged: boolean; isPreviewed: boolean; isRefused: boolean; isSaved: boolean }): string {
  if (is.isSaved) return 'Saved. It holds from the next round of dispatch.';
  if (!is.isChanged) return 'What is left empty does not limit.';
  if (is.isRefused) return 'It has no preview. Saving it looks for faults too.';
  return is.isPreviewed
    ? 'This is what the last week would have been.'
    : 'Look at what the last week would have been, then save.';
}
