import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Clock } from '../../core/time.ts';
import type { Database } from '../../db/database.ts';
import { closed } from '../../protocol/common.ts';
import { ShareReport, Shares } from '../../protocol/share.ts';
import type { GroupBy } from '../../shares/groups.ts';
import type { SharesDeps } from '../../shares/pool-use.ts';
import { reportColumns, reportMarkdown, reportRows } from '../../shares/report-text.ts';
import { readReport } from '../../shares/report.ts';
import { readShares } from '../../shares/shares.ts';
import { askedWindowPattern } from '../../shares/window.ts';
import { listedTenant } from '../caller.ts';
import { sendCsvRows } from '../csv.ts';
import { contentTypeOf, formatOf } from '../format.ts';

export type ShareRouteDeps = {
  db: Database;
  now: Clock;
  petaflopsPerAccelerator: SharesDeps['petaflopsPerAccelerator'];
};

export const WindowField = Type.Optional(
  Type.String({
    pattern: askedWindowPattern,
    default: '30d',
    description: 'A duration up to now, such as 90m, 24h or 30d, or all.',
  }),
);

const SharesQuery = Type.Object(
  {
    window: WindowField,
    groupBy: Type.Optional(
      Type.String({
        pattern: '^(tenant|parent|kind|provider|region|label:[^\\x00-\\x1f]{1,128})$',
        description:
          'Adds groups: by tenant, by the organisation at the top of its parents, by kind of accelerator, provider or region, or by a label of the jobs, as in label:project.',
      }),
    ),
    series: Type.Optional(
      Type.Enum(['hour', 'day'], {
        description: 'Adds the series for a chart: each hour or day, with its largest groups.',
      }),
    ),
  },
  closed,
);
const ReportQuery = Type.Object(
  {
    month: Type.String({ pattern: '^[2-9][0-9]{3}-(0[1-9]|1[0-2])$', description: 'Such as 2026-11.' }),
    format: Type.Optional(Type.Enum(['json', 'markdown', 'csv'], { description: 'Left out: as Accept says.' })),
  },
  closed,
);

const operations = {
  getShares: {
    operationId: 'getShares',
    tags: ['Shares'],
    summary: 'Each tenant’s share of compute, and how concentrated it is',
    querystring: SharesQuery,
    response: { 200: Shares },
  },
  getShareReport: {
    operationId: 'getShareReport',
    tags: ['Shares'],
    summary: 'The shares of one month, to publish',
    querystring: ReportQuery,
    response: {
      200: {
        description: 'All of it as JSON, a text for people as Markdown, a row for each tenant as CSV.',
        content: {
          'application/json': { schema: ShareReport },
          'text/markdown': { schema: Type.String() },
          'text/csv': { schema: Type.String() },
        },
      },
    },
  },
};

export function shareRoutes({ db, now, petaflopsPerAccelerator }: ShareRouteDeps): FastifyPluginAsyncTypebox {
  const deps = (): SharesDeps => ({ sql: db.client, now: now(), petaflopsPerAccelerator });

  return async (app) => {
    app.get(
      '/v1/shares',
      {
        config: { access: 'viewer' },
        schema: operations.getShares,
      },
      ({ query: { window = '30d', groupBy, series }, caller }) =>
        readShares(
          deps(),
          { window, groupBy: groupBy as GroupBy | undefined, series },
          { tenantId: listedTenant(caller) },
        ),
    );
    app.get(
      '/v1/shares/report',
      {
        config: { access: 'viewer' },
        schema: operations.getShareReport,
      },
      async (request, reply) => {
        const { month } = request.query;
        const report = await readReport(deps(), month, { tenantId: listedTenant(request.caller) });
        const format = formatOf(request, ['markdown', 'csv']);
        if (format === 'csv')
          return sendCsvRows(reply, { name: `shares-${month}`, columns: reportColumns, rows: reportRows(report) });
        if (format === 'markdown') return reply.type(contentTypeOf(format)).send(reportMarkdown(report));
        return report;
      },
    );
  };
}
