import { hkdfSync } from 'node:crypto';
import { Webhook } from 'standardwebhooks';

const secretBytes = 32;

/**
 * The secret that signs what a tenant's webhooks are sent, as the Standard Webhooks specification writes one. It follows from
 * the installation's secret key, so that every process has it and none stores it.
 */
export function signingSecret(secretKey: Buffer, tenantId: string): string {
  const bytes = hkdfSync('sha256', secretKey, tenantId, 'weir webhooks', secretBytes);
  return `whsec_${Buffer.from(bytes).toString('base64')}`;
}

type Signed = { id: string; body: string; at: Date };

export function signatureHeaders(secret: string, { id, body, at }: Signed): Record<string, string> {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, at, body),
  };
}
