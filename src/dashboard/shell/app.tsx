import { QueryClientProvider, useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { createQueryClient } from '../api/connection.ts';
import { Refusal } from '../api/client.ts';
import { signOut, useMeQuery } from '../api/session.ts';
import { Failing } from '../parts/states.tsx';
import { Shell } from './shell.tsx';
import { SignIn } from './sign-in.tsx';

/** The sign-in page until somebody is signed in, then the shell with its pages. */
export function App() {
  const [why, setWhy] = useState<string>();
  const [queryClient] = useState(() => createQueryClient(setWhy));
  return (
    <QueryClientProvider client={queryClient}>
      {why === undefined ? (
        <SignedIn
          onSignedOut={() => {
            setWhy('');
            queryClient.clear();
          }}
        />
      ) : (
        <SignIn why={why} onSignedIn={() => setWhy(undefined)} />
      )}
    </QueryClientProvider>
  );
}

function SignedIn({ onSignedOut }: { onSignedOut: () => void }) {
  const { data: me, error, refetch } = useMeQuery();
  const leaving = useMutation({ mutationFn: signOut, onSuccess: onSignedOut });
  if (me !== undefined) return <Shell me={me} leaving={leaving} />;
  // Who is not signed in gets the form with the next drawing.
  if (error === null || (error instanceof Refusal && error.status === 401)) return null;
  return <Failing error={error} retry={refetch} />;
}
