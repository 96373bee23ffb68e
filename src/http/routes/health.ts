import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import type { Registry } from 'prom-client';
import { Type } from 'typebox';
import { WeirError } from '../../core/errors.ts';
import { closed } from '../../protocol/common.ts';
import { bearerOf } from '../auth.ts';
import { hasRole } from '../caller.ts';
import { observeInstallation } from '../installation-metrics.ts';
import type { Keyring } from '../keyring.ts';
import { renderMetrics } from '../metrics.ts';
import { observeMachine, type MachineMetricDeps } from '../machine-metrics.ts';
import { observeQuotes } from '../quote-metrics.ts';
import { observeDispatch } from '../dispatch-metrics.ts';
import { observeShares, type ShareMetricDeps } from '../share-metrics.ts';

export type Check = () => Promise<boolean>;

export type HealthRouteDeps = ShareMetricDeps &
  MachineMetricDeps & {
    /** What a request may need, each asked by `/readyz`. */
    checks: { database: Check; queue: Check; objectStore: Check };
    metrics: Registry;
    keyring: Pick<Keyring, 'callerOf'>;
  };

const checkTimeoutMs = 3_000;

const Ready = Type.Object({ status: Type.Literal('ready') }, { ...closed, title: 'Ready' });
const Alive = Type.Object({ status: Type.Literal('alive') }, { ...closed, title: 'Alive' });

const operations = {
  getHealth: {
    operationId: 'getHealth',
    tags: ['Operation'],
    summary: 'Whether the process lives',
    response: { 200: Alive },
  },
  getReadiness: {
    operationId: 'getReadiness',
    tags: ['Operation'],
    summary: 'Whether database, queue and object store answer',
    response: { 200: Ready },
  },
  getMetrics: {
    operationId: 'getMetrics',
    tags: ['Operation'],
    summary: 'Prometheus; what names tenants only with an operator’s key',
    produces: ['text/plain'],
    response: { 200: Type.String() },
  },
};

export function healthRoutes(deps: HealthRouteDeps): FastifyPluginAsyncTypebox {
  const { db, checks, metrics, keyring } = deps;
  const observers = [
    observeInstallation(metrics, db),
    observeQuotes(metrics, db),
    observeShares(metrics, deps),
    observeDispatch(metrics, deps.db),
    observeMachine(metrics, deps),
  ];
  const isOperator = async (request: FastifyRequest): Promise<boolean> => {
    const key = bearerOf(request);
    const caller = key === undefined ? undefined : await keyring.callerOf(key);
    return caller !== undefined && hasRole(caller, 'operator');
  };

  return async (app) => {
    app.get(
      '/healthz',
      {
        config: { access: 'public' },
        schema: operations.getHealth,
      },
      async () => ({ status: 'alive' as const }),
    );
    app.get(
      '/readyz',
      {
        config: { access: 'public' },
        schema: operations.getReadiness,
      },
      async () => {
        const answers = await Promise.all(
          Object.entries(checks).map(async ([name, check]) => ({ name, isUp: await answersInTime(check) })),
        );
        const down = answers
          .filter(({ isUp }) => !isUp)
          .map(({ name }) => (name === 'objectStore' ? 'object store' : name));
        if (down.length > 0)
          throw new WeirError('unavailable', `No answer from: ${down.join(', ')}.`, { extra: { down } });
        return { status: 'ready' as const };
      },
    );
    app.get(
      '/metrics',
      {
        config: { access: 'public' },
        schema: operations.getMetrics,
      },
      async (request, reply) => {
        await Promise.all(observers.map((observe) => observe()));
        return reply.type(metrics.contentType).send(await renderMetrics(metrics, await isOperator(request)));
      },
    );
  };
}

async function answersInTime(check: Check): Promise<boolean> {
  const { promise: timeout, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, checkTimeoutMs, false);
  const answer = await Promise.race([check().catch(() => false), timeout]);
  clearTimeout(timer);
  return answer;
}
