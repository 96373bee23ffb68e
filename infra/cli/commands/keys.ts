import { answer, firstOf, make } from '../api.ts';
import { atFlags } from '../failure.ts';
import type { Role } from '../generated/api.ts';
import { note, print, printJson } from '../screen.ts';
import { connect, type Flags } from '../session.ts';
import { table } from '../table.ts';
import { when } from '../words.ts';

export async function listKeys(flags: Flags): Promise<void> {
  const { api, tenantId } = await connect(flags);
  const path = { tenant: await tenantId() };
  const list = await firstOf(Infinity, (query) =>
    answer(api.GET('/v1/tenants/{tenant}/keys', { params: { path, query } })),
  );
  if (flags.json === true) return printJson(list);
  if (list.items.length === 0) return note('No keys. Next: weir keys create');
  table(
    ['key', 'role', 'label', 'made', 'revoked'],
    list.items.map(({ id, role, label, createdAt, revokedAt }) => [
      id,
      role,
      label ?? '',
      when(createdAt),
      when(revokedAt),
    ]),
  );
}

/** Only the key goes to stdout, so that it can be piped to where it is kept. */
export async function createKey(flags: Flags & { role: Role; label?: string }): Promise<void> {
  const { api, tenantId } = await connect(flags);
  const { role, label } = flags;
  const path = { tenant: await tenantId() };
  const body = { role, ...(label === undefined ? {} : { label }) };
  const made = make(
    (header) => api.POST('/v1/tenants/{tenant}/keys', { params: { path, header }, body }),
    'weir keys ls',
  );
  const created = await atFlags({ '/role': '--role', '/label': '--label' }, made);
  if (flags.json === true) return printJson(created);
  print(created.key);
  note(`${created.id}, ${created.role}: shown this once. Who gets it types weir login`);
}

export async function revokeKey(key: string, flags: Flags): Promise<void> {
  const { api, tenantId } = await connect(flags);
  const path = { tenant: await tenantId(), key };
  await answer(api.DELETE('/v1/tenants/{tenant}/keys/{key}', { params: { path } }));
  if (flags.json === true) return printJson({ id: key, revoked: true });
  print(`Revoked ${key}`);
}
