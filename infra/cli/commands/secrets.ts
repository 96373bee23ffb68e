import { answer, firstOf } from '../api.ts';
import { askSecret } from '../ask.ts';
import { atFlags, usageFailure } from '../failure.ts';
import { note, print, printJson } from '../screen.ts';
import { connect, type Flags } from '../session.ts';
import { table } from '../table.ts';
import { when } from '../words.ts';

export async function listSecrets(flags: Flags): Promise<void> {
  const { api, tenantId } = await connect(flags);
  const path = { tenant: await tenantId() };
  const list = await firstOf(Infinity, (query) =>
    answer(api.GET('/v1/tenants/{tenant}/secrets', { params: { path, query } })),
  );
  if (flags.json === true) return printJson(list);
  if (list.items.length === 0) return note('No secrets. Next: weir secrets set NAME');
  table(
    ['secret', 'since'],
    list.items.map(({ name, createdAt }) => [name, when(createdAt)]),
  );
}

/** The value is never an argument: those are seen by all who list a machine's processes. */
export async function setSecret(name: string, flags: Flags): Promise<void> {
  const { api, tenantId } = await connect(flags);
  const path = { tenant: await tenantId(), name };
  const value = await askSecret('Value: ');
  if (value === '') throw usageFailure('There is no value to keep.', `weir secrets set ${name} < FILE`);
  const put = answer(api.PUT('/v1/tenants/{tenant}/secrets/{name}', { params: { path }, body: { value } }));
  await atFlags({ '{name}': 'NAME', '/value': 'the value' }, put);
  if (flags.json === true) return printJson({ name });
  print(`Kept ${name}`);
  note(`name it in a spec: secrets: [${name}]`);
}

export async function removeSecret(name: string, flags: Flags): Promise<void> {
  const { api, tenantId } = await connect(flags);
  const path = { tenant: await tenantId(), name };
  await answer(api.DELETE('/v1/tenants/{tenant}/secrets/{name}', { params: { path } }));
  if (flags.json === true) return printJson({ name, removed: true });
  print(`Removed ${name}`);
}
