import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Sql } from '../../db/database.ts';
import { closed, Id, List, Page } from '../../protocol/common.ts';
import { StatementLine, statementSorts, Usage } from '../../protocol/share.ts';
import { readUsage } from '../../shares/shares.ts';
import { listStatement, readStatement, type StatementOrder } from '../../shares/statement-store.ts';
import { sendCsv } from '../csv.ts';
import { formatOf } from '../format.ts';
import { pageOf, readCursor } from '../page.ts';
import { WindowField, type ShareRouteDeps } from './shares.ts';

const TenantParams = Type.Object({ tenant: Id('tenant') });
const StatementQuery = Type.Object(
  {
    ...Page.properties,
    sort: Type.Optional(
      Type.Enum([...statementSorts], { default: 'at', description: 'With a dash the latest first.' }),
    ),
    format: Type.Optional(
      Type.Enum(['json', 'csv'], { description: 'Left out: as Accept says. As CSV every line comes, without pages.' }),
    ),
  },
  closed,
);
const columns = ['id', 'at', 'job', 'account', 'kind', 'amountUsd', 'balanceUsd', 'note'] as const;

const UsageQuery = Type.Object(
  {
    window: WindowField,
    bucket: Type.Optional(Type.Enum(['hour', 'day'], { description: 'Left out: hours up to a week, else days.' })),
    teams: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'With all teams below it, as its budget counts. Left out: its own.',
      }),
    ),
  },
  closed,
);

const operations = {
  listStatement: {
    operationId: 'listStatement',
    tags: ['Tenants'],
    summary: 'The money ledger, oldest first unless asked otherwise',
    params: TenantParams,
    querystring: StatementQuery,
    response: {
      200: {
        description: 'One page as JSON; every line as CSV.',
        content: {
          'application/json': { schema: List(StatementLine, 'Statement') },
          'text/csv': { schema: Type.String() },
        },
      },
    },
  },
  getUsage: {
    operationId: 'getUsage',
    tags: ['Tenants'],
    summary: 'Compute used, by hour or day',
    params: TenantParams,
    querystring: UsageQuery,
    response: { 200: Usage },
  },
};

export function statementRoutes({ db, now, petaflopsPerAccelerator }: ShareRouteDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/v1/tenants/:tenant/statement',
      {
        config: { access: 'viewer' },
        schema: operations.listStatement,
      },
      async (request, reply) => {
        const { tenant } = request.params;
        const { limit, cursor, sort = 'at' } = request.query;
        const after = readCursor(cursor);
        const from = { sort, ...(after === undefined ? {} : { after }) };
        if (formatOf(request, ['csv']) === 'csv')
          return sendCsv(reply, {
            name: `statement-${tenant}`,
            columns,
            pages: statementRows(db.client, tenant, from),
          });
        const page = pageOf(limit);
        const lines = await listStatement(db.client, tenant, { limit: page.take, ...from });
        return page.answer(lines, ({ id }) => id);
      },
    );
    app.get(
      '/v1/tenants/:tenant/usage',
      {
        config: { access: 'viewer' },
        schema: operations.getUsage,
      },
      ({ params, query: { window = '30d', bucket, teams } }) =>
        readUsage(
          { sql: db.client, now: now(), petaflopsPerAccelerator },
          { tenantId: params.tenant, window, bucket, teams },
        ),
    );
  };
}

async function* statementRows(sql: Sql, tenantId: string, from: StatementOrder) {
  for await (const lines of readStatement(sql, tenantId, from))
    yield lines.map((line) => columns.map((column) => line[column]));
}
