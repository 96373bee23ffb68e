import { answer } from '../api.ts';
import { configPath, readConfigFile } from '../config-file.ts';
import { note, printJson } from '../screen.ts';
import { connect, type Flags } from '../session.ts';
import { fields } from '../table.ts';

/** Whose key is used, on which server. */
export async function whoami(flags: Flags): Promise<void> {
  const { api, url, profile } = await connect(flags);
  const me = await answer(api.GET('/v1/me'));
  const { profiles } = await readConfigFile();
  if (flags.json === true) return printJson({ url, ...me });
  fields([
    ['server', url],
    ['tenant', me.tenant === null ? 'none: an operator' : `${me.tenant.name} (${me.tenant.id})`],
    ['role', me.role],
    ['key', me.key === null ? undefined : `${me.key.id}${me.key.label === null ? '' : `, ${me.key.label}`}`],
    [
      'profiles',
      Object.keys(profiles)
        .map((name) => (name === profile ? `${name} (in use)` : name))
        .join(', '),
    ],
  ]);
  note(`profiles are kept in ${configPath()}`);
}
