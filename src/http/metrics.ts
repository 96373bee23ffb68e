import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';

/** A registry with what Node itself measures: once in a process. */
export function createMetrics(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** Times each request by its route, never by its address, which would make a series of every id. */
export function measureRequests(app: FastifyInstance, registry: Registry): void {
  const seconds = new Histogram({
    name: 'weir_http_request_seconds',
    help: 'Time to answer, by route.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [registry],
  });
  const received = new Counter({
    name: 'weir_http_received_bytes_total',
    help: 'Bytes of request bodies, by route: of logs at /v1/runner/logs, of files at /v1/objects/upload.',
    labelNames: ['method', 'route'],
    registers: [registry],
  });
  app.addHook('onResponse', (request, reply, done) => {
    const sizeBytes = Number(request.headers['content-length'] ?? 0);
    if (sizeBytes > 0) received.labels(request.method, request.routeOptions.url ?? 'none').inc(sizeBytes);
    seconds
      .labels(request.method, request.routeOptions.url ?? 'none', String(reply.statusCode))
      .observe(reply.elapsedTime / 1000);
    done();
  });
}

/** The series in Prometheus's text; those that name tenants only where the reader may see them all. */
export async function renderMetrics(registry: Registry, namesTenants: boolean): Promise<string> {
  const shown = registry.getMetricsAsArray().filter((metric) => namesTenants || !labelsOf(metric).includes('tenant'));
  const texts = await Promise.all(shown.map(({ name }) => registry.getSingleMetricAsString(name)));
  return `${texts.join('\n\n')}\n`;
}

function labelsOf(metric: object): readonly string[] {
  return 'labelNames' in metric && Array.isArray(metric.labelNames) ? (metric.labelNames as string[]) : [];
}
