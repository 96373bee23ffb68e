import { Alert, Button, PasswordInput, Text, Title } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { messageOf, queries } from '../api/client.ts';
import { signIn } from '../api/session.ts';
import styles from './sign-in.module.css';

/** What the identity provider's refusal means. */
const refusals: Record<string, string> = {
  'no-role': 'Your account has no role here. Ask an operator to add a rule for it under signIn.oidc.rules.',
  'no-tenant': 'The tenant that your account belongs to does not exist yet. Ask an operator to make it.',
  failed: 'Signing in did not work, or took too long. Try again.',
  unavailable: 'The identity provider does not answer. Try again in a moment.',
};

/** The key is tried before it is kept. */
export function SignIn({ why, onSignedIn }: { why: string; onSignedIn: () => void }) {
  const queryClient = useQueryClient();
  const [key, setKey] = useState('');
  const refusal = useRefusal();
  const [keyFault, setKeyFault] = useState('');
  const fault = keyFault || why || refusal;
  const oidc = queries.useQuery('get', '/v1/sign-in').data?.oidc ?? null;
  const [isTrying, setTrying] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTrying(true);
    try {
      await signIn(queryClient, key.trim());
      onSignedIn();
    } catch (error) {
      setKeyFault(messageOf(error));
      setTrying(false);
    }
  };

  return (
    <main className={styles.page}>
      <form className={styles.card} onSubmit={(event) => void submit(event)}>
        <img src="/dashboard/weir.svg" alt="" width={44} height={44} />
        <Title order={1} size="h2" mt="md">
          Sign in to weir
        </Title>
        <Text c="dimmed" mb="lg">
          See who holds the compute, what waits and why, and what each job takes and costs.
        </Text>
        {fault !== '' && (
          <Alert color="red" variant="light" role="alert" mb="md">
            {fault}
          </Alert>
        )}
        <PasswordInput
          label="Key"
          placeholder="weir_…"
          autoComplete="off"
          spellCheck={false}
          required
          withAsterisk={false}
          ref={field}
          value={key}
          onChange={(event) => setKey(event.currentTarget.value)}
        />
        <Button type="submit" fullWidth mt="md" loading={isTrying}>
          Sign in
        </Button>
        {oidc !== null && (
          <Button
            component="a"
            href={`${oidc.url}?${new URLSearchParams({ to: placeNow() })}`}
            variant="default"
            fullWidth
            mt="sm"
          >
            Sign in with {oidc.name}
          </Button>
        )}
        <Text size="sm" c="dimmed" mt="lg">
          An operator’s key shows the whole pool, a tenant’s key its own part. The installation’s first operator key
          lies in <code>operator.key</code> of the data directory.
        </Text>
      </form>
    </main>
  );
}

/** Why the identity provider's answer let nobody in. The address says it once: it would still say so after the next signing out. */
function useRefusal(): string {
  const [reason] = useState(() => new URLSearchParams(window.location.search).get('sign-in') ?? '');
  useEffect(() => {
    if (reason !== '') window.history.replaceState(null, '', placeNow());
  }, [reason]);
  return refusals[reason] ?? '';
}

/** The path where somebody wants to be once they have signed in. */
function placeNow(): string {
  const url = new URL(window.location.href);
  url.searchParams.delete('sign-in');
  return url.pathname + url.search;
}
