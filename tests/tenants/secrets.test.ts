import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import { seal, unseal } from '../../src/tenants/seal.ts';
import { openSecrets, putSecret, requireSecrets } from '../../src/tenants/secrets.ts';
import { createTenant } from '../../src/tenants/tenants.ts';
import { test } from '../support/database.ts';

test('what is sealed opens with its key at its place, and nowhere else', () => {
  const key = randomBytes(32);
  const sealed = seal(key, 'grüße', 'secret a');
  expect(unseal(key, sealed, 'secret a')).toBe('grüße');
  expect(() => unseal(key, sealed, 'secret b')).toThrow();
  expect(() => unseal(randomBytes(32), sealed, 'secret a')).toThrow();
  expect(() => unseal(key, sealed.with(15, (sealed[15] ?? 0) ^ 1), 'secret a')).toThrow();
  expect(seal(key, 'grüße', 'secret a')).not.toEqual(sealed);
});

test('a job gets the values of the secrets it names; a missing one is named', async ({ db }) => {
  const secretKey = randomBytes(32);
  const { id: tenantId } = await createTenant(db, { id: newId('tenant'), name: 'vision', actor: 'test' });
  for (const name of ['A', 'B'])
    await putSecret(db, secretKey, { tenantId, name, value: `value of ${name}`, actor: 'test' });
  expect(await openSecrets(db.client, secretKey, tenantId, ['B'])).toEqual({ B: 'value of B' });
  const missing = { code: 'invalid', faults: [{ pointer: '/secrets/1' }] };
  await expect(openSecrets(db.client, secretKey, tenantId, ['A', 'C'])).rejects.toMatchObject(missing);
  await expect(requireSecrets(db.client, tenantId, ['A', 'C'])).rejects.toMatchObject(missing);
  await expect(requireSecrets(db.client, newId('tenant'), ['A'])).rejects.toMatchObject({ code: 'invalid' });
});
