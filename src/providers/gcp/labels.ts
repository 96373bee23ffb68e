import { createHash } from 'node:crypto';
import type { InstanceRequest } from '../provider.ts';

type Labels = InstanceRequest['labels'];

const names = {
  installation: 'weir-installation',
  tenant: 'weir-tenant',
  job: 'weir-job',
  attempt: 'weir-attempt',
} as const;

/** Which of the machines in the project are ours. */
export const installationLabel = names.installation;

/** Lower-case letters, digits, dashes and underscores, 63 at most: what a label may hold. Our ids are such already. */
export function toLabelValue(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]/g, '-')
    .slice(0, 63);
}

export function toLabels({ installation, tenant, job, attempt }: Labels): Record<string, string> {
  return {
    [names.installation]: toLabelValue(installation),
    [names.tenant]: toLabelValue(tenant),
    [names.job]: toLabelValue(job),
    [names.attempt]: String(attempt),
  };
}

export function fromLabels(labels: Record<string, string>): Labels {
  return {
    installation: labels[names.installation] ?? '',
    tenant: labels[names.tenant] ?? '',
    job: labels[names.job] ?? '',
    attempt: Number(labels[names.attempt] ?? 0),
  };
}

/** The same UUID for the same words: Google then takes a repeated request for the one it has had. */
export function requestIdOf(...words: string[]): string {
  const digest = createHash('sha256').update(words.join('\n')).digest();
  // As UUIDs of version 8, whose content is one's own, say: RFC 9562, section 5.8.
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x80;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  const hex = digest.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
