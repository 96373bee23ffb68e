import { useQuery } from '@tanstack/react-query';
import { api, bodyOf, Refusal } from './client.ts';

/** Who looks: an operator sees the whole pool, a tenant's key its own part. */
export type Me = { isOperator: boolean };

export function useMe(): Me | undefined {
  return useQuery({ queryKey: ['me'], queryFn: readMe, staleTime: Infinity, refetchInterval: false }).data;
}

export async function readMe(): Promise<Me> {
  try {
    await bodyOf(api.GET('/v1/pool/policy'));
    return { isOperator: true };
  } catch (error) {
    if (error instanceof Refusal && error.status === 403) return { isOperator: false };
    throw error;
  }
}
