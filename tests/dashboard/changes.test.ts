import { QueryClient, QueryObserver } from '@tanstack/react-query';
import { expect, test } from 'vitest';
import { readAgain } from '../../src/dashboard/api/changes.ts';

test('what changes while it is being read is read once more', async () => {
  const queryClient = new QueryClient();
  const first = Promise.withResolvers<string>();
  let reads = 0;
  const observer = new QueryObserver(queryClient, {
    queryKey: ['get', '/v1/queue', {}],
    queryFn: () => (reads++ === 0 ? first.promise : Promise.resolve('after')),
  });
  const stop = observer.subscribe(() => undefined);
  const told = readAgain(queryClient, { jobs: [], isPartial: true });
  first.resolve('before');
  await told;
  expect([observer.getCurrentResult().data, reads]).toEqual(['after', 2]);
  await readAgain(queryClient, { jobs: [], isPartial: true });
  expect(reads).toBe(3);
  stop();
});
