import { expect } from 'vitest';
import { accountsOf, jobOf, type World } from './world.ts';

/** Whether the job's row says what the ledger says, at any moment. */
export async function expectAgreement(world: World, jobId: string): Promise<void> {
  const { reserved, spent, available } = await accountsOf(world, jobId);
  const { reservedMicroUsd, chargedMicroUsd, attempts } = await jobOf(world, jobId);
  expect({ reserved: Number(reservedMicroUsd), spent: Number(chargedMicroUsd) }).toEqual({ reserved, spent });
  expect(attempts.reduce((sum, { costMicroUsd }) => sum + Number(costMicroUsd), 0)).toBe(spent);
  expect(available + reserved + spent).toBe(0);
}
