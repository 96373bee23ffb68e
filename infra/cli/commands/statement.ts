import { answer, firstOf } from '../api.ts';
import type { Statement } from '../generated/api.ts';
import { note, printJson } from '../screen.ts';
import { connect, type Flags } from '../session.ts';
import { table } from '../table.ts';
import { amount, when } from '../words.ts';

export async function statement({ limit, ...flags }: Flags & { limit: number }): Promise<void> {
  const { api, tenantId } = await connect(flags);
  const path = { tenant: await tenantId() };
  const list = await firstOf(
    limit,
    async (query) =>
      (await answer(
        api.GET('/v1/tenants/{tenant}/statement', { params: { path, query: { sort: '-at', ...query } } }),
      )) as Statement,
  );
  if (flags.json === true) return printJson(list);
  if (list.items.length === 0) return note('No money has moved yet.');
  table(
    ['when', 'kind', 'account', 'amount', 'balance', 'job', ''],
    list.items.map(({ at, kind, account, amountUsd, balanceUsd, job, note: text }) => [
      when(at),
      kind,
      account,
      amount(amountUsd),
      amount(balanceUsd),
      job ?? '',
      text,
    ]),
  );
  if (list.nextCursor !== null) note(`the newest ${limit} lines; --limit shows more`);
}
