import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newToken } from '../core/tokens.ts';

/** The runner's own token, kept before it is told to the broker, so that a claim whose answer was lost can be repeated. */
export function keepToken(stateDir: string): string {
  const path = join(stateDir, 'token');
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  if (!existsSync(path)) writeFileSync(path, newToken(), { mode: 0o600, flag: 'wx' });
  return readFileSync(path, 'utf8');
}
