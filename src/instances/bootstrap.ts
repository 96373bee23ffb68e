import { createHmac } from 'node:crypto';
import { sameText } from '../core/tokens.ts';

/**
 * The token with which a new machine introduces itself. It follows from the installation's key and the instance's id, so
 * that a launch repeated after a crash hands out the same one and nothing secret is stored.
 */
export function bootstrapToken(secretKey: Buffer, instanceId: string): string {
  return `${instanceId}.${signature(secretKey, instanceId)}`;
}

/** The instance that a bootstrap token is of; undefined where it is not one of ours. */
export function readBootstrapToken(secretKey: Buffer, token: string): string | undefined {
  const [instanceId = '', given = ''] = token.split('.');
  return sameText(given, signature(secretKey, instanceId)) ? instanceId : undefined;
}

function signature(secretKey: Buffer, instanceId: string): string {
  return createHmac('sha256', secretKey).update(`bootstrap:${instanceId}`).digest('base64url');
}
