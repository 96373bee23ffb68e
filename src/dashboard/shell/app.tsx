import { QueryClientProvider } from '@tanstack/react-query';
import { useState } from 'react';
import { createQueryClient } from '../api/connection.ts';
import { session } from '../api/session.ts';
import { Shell } from './shell.tsx';
import { SignIn } from './sign-in.tsx';

/** The sign-in page until somebody is signed in, then the shell with its pages. */
export function App() {
  const [isOpen, setOpen] = useState(session.isOpen);
  const [why, setWhy] = useState('');
  const signOut = (reason: string) => {
    session.close();
    setWhy(reason);
    setOpen(false);
  };
  const [queryClient] = useState(() => createQueryClient(signOut));

  if (!isOpen)
    return (
      <SignIn
        why={why}
        onSignedIn={() => {
          queryClient.clear();
          setWhy('');
          setOpen(true);
        }}
      />
    );
  return (
    <QueryClientProvider client={queryClient}>
      <Shell onSignOut={() => signOut('')} />
    </QueryClientProvider>
  );
}
