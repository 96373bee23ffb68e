import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { usageFailure } from './failure.ts';

export type KeyTenant = { id: string; name: string };

/** A server and the key to it. `tenant` is whose key it is; null: an operator's. */
export type Profile = { url: string; key: string; tenant: KeyTenant | null };

/** `current` is used where no profile is named. */
export type ConfigFile = { current: string; profiles: Record<string, Profile> };

export const defaultProfile = 'default';

export function configPath(): string {
  const { XDG_CONFIG_HOME: home = '' } = process.env;
  // The XDG specification has relative paths ignored.
  return join(isAbsolute(home) ? home : join(homedir(), '.config'), 'weir', 'config.json');
}

export async function readConfigFile(): Promise<ConfigFile> {
  const path = configPath();
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw usageFailure(`${path} can't be read: ${error.message}`);
  });
  if (text === undefined) return { current: defaultProfile, profiles: {} };
  const file = parse(text);
  if (file === undefined)
    throw usageFailure(`${path} is not what weir login writes.`, `remove it and run weir login again`);
  return file;
}

function parse(text: string): ConfigFile | undefined {
  try {
    const file = JSON.parse(text) as Partial<ConfigFile> | null;
    const isSound = typeof file?.current === 'string' && typeof file.profiles === 'object' && file.profiles !== null;
    return isSound ? (file as ConfigFile) : undefined;
  } catch {
    return undefined;
  }
}

/** Which profile is meant: the one that `--profile` names, else WEIR_PROFILE, else the one in use. */
export function profileName(flag: string | undefined, { current }: Pick<ConfigFile, 'current'>): string {
  return flag ?? (process.env['WEIR_PROFILE'] || current);
}

/** Only its owner may read it, from its first byte on; written whole or not at all. */
export async function writeConfigFile(file: ConfigFile): Promise<void> {
  const path = configPath();
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const written = `${path}.${process.pid}`;
  await writeFile(written, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  await rename(written, path);
}
