import { answer, createApi, firstOf, type Api, type Server } from './api.ts';
import { profileName, readConfigFile, type KeyTenant, type Profile } from './config-file.ts';
import { Failure, notSignedIn, usageFailure } from './failure.ts';

/** What every verb takes. */
export type Flags = { json?: boolean; profile?: string; tenant?: string };

export type Session = {
  api: Api;
  url: string;
  /** The profile whose key is used; undefined: WEIR_KEY is. */
  profile: string | undefined;
  /** The tenant that the user named, by id or name, for the query of a call that an operator makes for a tenant. */
  named: { tenant?: string };
  /** The tenant whose things are asked for: the one named, or the key's own. */
  tenantId: () => Promise<string>;
};

/** The address of a weir that runs on this machine as it comes. */
export const defaultUrl = 'http://127.0.0.1:8080';

/** @throws Failure `notSignedIn` where no server or no key is known. */
export async function connect({ profile: name, tenant }: Flags): Promise<Session> {
  const { tenant: own, profile, ...server } = await serverFor(name);
  const api = createApi(server);
  const named = tenant === undefined ? {} : { tenant: await tenantNamed(api, tenant) };
  return {
    api,
    url: server.url,
    profile,
    named,
    tenantId: async () => named.tenant ?? requireOwn(own === undefined ? await identify(api) : own),
  };
}

type Chosen = Server & {
  /** Undefined where the key is not a profile's. */
  tenant?: KeyTenant | null;
  profile?: string;
};

/** What a flag says comes before the environment, and WEIR_URL and WEIR_KEY before what is kept. */
async function serverFor(flag: string | undefined): Promise<Chosen> {
  const { WEIR_URL: url = '', WEIR_KEY: key = '' } = flag === undefined ? process.env : {};
  if (key !== '' && url !== '') return { url: requireUrl(url), key, isOfEnvironment: true };
  const found = await findProfile(flag);
  if (key !== '') return { url: found?.url ?? defaultUrl, key, isOfEnvironment: true };
  if (found === undefined) throw notSignedIn('You are not signed in.');
  if (url !== '' && requireUrl(url) !== found.url)
    // The key of one server is not for another to see.
    throw notSignedIn(`WEIR_URL names ${url}, and the key at hand is that of ${found.url}.`);
  return found;
}

/** Undefined where nobody has signed in, and named none. */
async function findProfile(flag: string | undefined): Promise<(Profile & { profile: string }) | undefined> {
  const file = await readConfigFile();
  const name = profileName(flag, file);
  const found = file.profiles[name];
  if (found !== undefined) return { ...found, profile: name };
  if (flag === undefined && name === file.current) return undefined;
  const known = Object.keys(file.profiles).join(', ') || 'none';
  throw usageFailure(`There is no profile ${name}; there are: ${known}.`, `weir login --profile ${name}`);
}

/** An address as it is stored: without a slash at its end. */
export function requireUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw usageFailure(`"${text}" is no address of a server; write it like https://weir.example.com or ${defaultUrl}.`);
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

/** Whose key it is; null: an operator's. */
export async function identify(api: Api): Promise<KeyTenant | null> {
  const { tenant } = await answer(api.GET('/v1/me'));
  return tenant;
}

function requireOwn(own: KeyTenant | null): string {
  if (own !== null) return own.id;
  throw usageFailure('An operator’s key belongs to no tenant.', 'name one with --tenant; weir tenants ls shows them');
}

async function tenantNamed(api: Api, given: string): Promise<string> {
  if (given.startsWith('tnt_')) return given;
  const own = await identify(api);
  if (own !== null) {
    if (own.name === given) return own.id;
    throw usageFailure(`Your key is ${own.name}’s, and sees no other tenant.`);
  }
  const { items } = await firstOf(Infinity, (query) => answer(api.GET('/v1/tenants', { params: { query } })));
  const found = items.find(({ name }) => name === given);
  if (found === undefined) throw usageFailure(`There is no tenant called ${given}.`, 'weir tenants ls');
  return found.id;
}

/** A name may begin as an id does. */
function isJobId(given: string): boolean {
  return /^job_[0-9a-hjkmnp-tv-z]{26}$/.test(given);
}

/** So many jobs of a name are looked at, to see that they are of one tenant. */
const namesakes = 50;

/** A job by its id, or the newest of that name, where an operator can only mean one tenant's. */
export async function jobIdOf({ api, named }: Session, given: string): Promise<string> {
  if (isJobId(given)) return given;
  const query = { name: given, limit: namesakes, ...named };
  const { items } = await answer(api.GET('/v1/jobs/summaries', { params: { query } }));
  const [newest] = items;
  if (newest === undefined)
    throw new Failure(`There is no job called ${given}.`, { next: 'weir ps shows the jobs there are' });
  if (items.some(({ tenant }) => tenant !== newest.tenant))
    throw usageFailure(
      `Several tenants have a job called ${given}.`,
      'say whose with --tenant, or name the job by its id: weir ps shows it',
    );
  return newest.id;
}

/** The flags of a spec with the jobs of `--after` by their ids, which are all that a spec takes. */
export async function withJobIds<T extends Record<string, unknown>>(session: Session, flags: T): Promise<T> {
  const after = flags['after'] as string[] | undefined;
  if (after === undefined) return flags;
  return { ...flags, after: await Promise.all(after.map((job) => jobIdOf(session, job))) };
}
