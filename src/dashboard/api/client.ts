import createClient from 'openapi-fetch';
import createQueryApi from 'openapi-react-query';
import type { paths, Problem } from '../../../infra/cli/generated/api.ts';
import { session } from './session.ts';

/** What the service answered that is no success, with each fault of the input. */
export class Refusal extends Error {
  readonly status: number;
  readonly problem: Partial<Problem>;

  constructor(status: number, problem: Partial<Problem>) {
    super(problem.detail ?? `The service answered ${status}.`);
    this.status = status;
    this.problem = problem;
  }

  /** What is wrong with one field, as its JSON pointer names it. */
  faultOf(pointer: string): string | undefined {
    return this.problem.errors?.find((fault) => fault.pointer === pointer)?.detail;
  }
}

/** The public API, as anybody may use it. A call that is no success throws: a Refusal, or a TypeError where nobody answers. */
export const api = createClient<paths>({ cache: 'no-store' });

api.use({
  onRequest: ({ request }) => {
    for (const [name, value] of Object.entries(session.headers())) request.headers.set(name, value);
  },
  onResponse: async ({ response }) => {
    if (!response.ok) throw await refusalOf(response);
  },
});

export const queries = createQueryApi(api);

export async function refusalOf(response: Response): Promise<Refusal> {
  const problem = (await response.json().catch(() => ({}))) as Partial<Problem>;
  return new Refusal(response.status, problem);
}

/** The body of a call that succeeded. */
export async function bodyOf<T>(call: Promise<{ data?: T }>): Promise<T> {
  const { data } = await call;
  return data as T;
}
