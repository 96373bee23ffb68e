import createClient from 'openapi-fetch';
import createQueryApi from 'openapi-react-query';
import type { paths, Problem } from '../../../infra/cli/generated/api.ts';

/** What the service answered that is no success, with each fault of the input. */
export class Refusal extends Error {
  readonly status: number;
  readonly problem: Partial<Problem>;

  constructor(status: number, problem: Partial<Problem>) {
    super(problem.detail ?? `The service answered ${status}.`);
    this.status = status;
    this.problem = problem;
  }
}

/**
 * The public API as anybody may use it, with the cookie of the session, which scripts can't read. A call that is no success throws:
 * a Refusal, or a TypeError where nobody answers.
 */
export const api = createClient<paths>({ cache: 'no-store' });

api.use({
  onResponse: async ({ response }) => {
    if (!response.ok) throw await refusalOf(response);
  },
});

export async function refusalOf(response: Response): Promise<Refusal> {
  const problem = (await response.json().catch(() => ({}))) as Partial<Problem>;
  return new Refusal(response.status, problem);
}

export const queries = createQueryApi(api);

/** The body of a call that succeeded. */
export async function bodyOf<T>(call: Promise<{ data?: T }>): Promise<T> {
  const { data } = await call;
  return data as T;
}

/** What went wrong, for people. */
export function messageOf(error: unknown): string {
  return error instanceof Refusal ? error.message : 'weir does not answer. Try again in a moment.';
}
