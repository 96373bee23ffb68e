import { ask, askSecret, isAttended } from '../ask.ts';
import { createApi } from '../api.ts';
import { configPath, defaultProfile, profileName, readConfigFile, writeConfigFile } from '../config-file.ts';
import { usageFailure } from '../failure.ts';
import { note, print, printJson, say } from '../screen.ts';
import { defaultUrl, identify, requireUrl, type Flags } from '../session.ts';

/** Keeps a server and a key, once the server has said whose it is. */
export async function login(flags: Flags & { server?: string; key?: string }): Promise<void> {
  const url = requireUrl(flags.server ?? (await askServer()));
  const key = (flags.key ?? (await askSecret('Key: '))).trim();
  if (!/^[\x21-\x7e]+$/.test(key))
    throw usageFailure('That is no key.', 'weir login --server URL --key KEY, or the key by a pipe');
  const tenant = await identify(createApi({ url, key }));
  const file = await readConfigFile();
  const { profiles } = file;
  const name = profileName(flags.profile, file);
  // WEIR_PROFILE chooses for as long as it is set, a flag from now on.
  const current = flags.profile === undefined && file.current in profiles ? file.current : name;
  await writeConfigFile({ current, profiles: { ...profiles, [name]: { url, key, tenant } } });
  if (flags.json === true) return printJson({ profile: name, url, tenant });
  print(`Signed in to ${url} as ${tenant === null ? 'an operator' : tenant.name}.`);
  const as = name === defaultProfile ? '' : ` as ${name}${name === current ? ', used from now on' : ''}`;
  note(`kept in ${configPath()}${as}; next: weir ps`);
  const before = ['WEIR_URL', 'WEIR_KEY'].filter((each) => (process.env[each] ?? '') !== '');
  if (before.length > 0) say(`${before.join(' and ')}, which the environment sets, will come before what is kept.`);
}

/** Forgets the key of the profile named, or of the one in use. It still works: `weir keys revoke` ends it. */
export async function logout(flags: Flags): Promise<void> {
  const file = await readConfigFile();
  const { current, profiles } = file;
  const name = profileName(flags.profile, file);
  const { [name]: gone, ...kept } = profiles;
  if (gone === undefined)
    throw usageFailure(`There is no profile ${name} to forget.`, 'weir whoami shows those there are');
  const next = name === current ? (Object.keys(kept)[0] ?? defaultProfile) : current;
  await writeConfigFile({ current: next, profiles: kept });
  if (flags.json === true) return printJson({ profile: name, url: gone.url });
  print(`Forgot the key to ${gone.url}${name === defaultProfile ? '' : ` (${name})`}.`);
  note(next in kept ? `from now on ${next} is used` : 'next: weir login');
}

async function askServer(): Promise<string> {
  if (!isAttended) throw usageFailure('Which server?', 'weir login --server URL --key KEY');
  return (await ask(`Server [${defaultUrl}]: `)).trim() || defaultUrl;
}
