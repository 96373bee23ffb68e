import { createInstallation } from '../../support/service.ts';
import { median, percentile } from '../summary.ts';

const requests = 300;

/** How long a submission takes that is refused, since it can never start: no machine is so large, or a cap forbids it. */
export async function benchVerdict() {
  const installation = await createInstallation();
  try {
    await installation.start('api');
    const tenant = await installation.tenant('bench');
    await installation.operator.call('PUT', `/v1/tenants/${tenant.tenantId}/policy`, {
      caps: { accelerators: { cpu: 1 } },
    });
    const timesMs: number[] = [];
    for (let request = 0; request < requests; request += 1) {
      const resources = request % 2 === 0 ? { cpus: 100_000 } : { cpus: 2, memoryGiB: 0.5, diskGiB: 0.5 };
      const startedAt = performance.now();
      const { status, body } = await tenant.call('POST', '/v1/jobs', { name: 'never', command: 'true', resources });
      timesMs.push(performance.now() - startedAt);
      if (status !== 422) throw new Error(`A job that can never start was answered ${status}: ${JSON.stringify(body)}`);
    }
    return { p50Ms: median(timesMs), p99Ms: percentile(timesMs, 0.99) };
  } finally {
    await installation.remove();
  }
}
