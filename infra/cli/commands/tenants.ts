import { answer, firstOf, make } from '../api.ts';
import { atFlags } from '../failure.ts';
import { isTerminal, note, print, printJson } from '../screen.ts';
import { connect, type Flags } from '../session.ts';
import { table } from '../table.ts';
import { when } from '../words.ts';

export async function listTenants(flags: Flags): Promise<void> {
  const { api } = await connect(flags);
  const list = await firstOf(Infinity, (query) => answer(api.GET('/v1/tenants', { params: { query } })));
  if (flags.json === true) return printJson(list);
  if (list.items.length === 0) return note('No tenants. Next: weir tenants create NAME');
  table(
    ['tenant', 'name', 'since'],
    list.items.map(({ id, name, createdAt }) => [id, name, when(createdAt)]),
  );
}

export async function createTenant(name: string, flags: Flags): Promise<void> {
  const { api } = await connect(flags);
  const made = make((header) => api.POST('/v1/tenants', { params: { header }, body: { name } }), 'weir tenants ls');
  const tenant = await atFlags({ '/name': 'NAME' }, made);
  if (flags.json === true) return printJson(tenant);
  print(isTerminal ? `Made ${tenant.name}: ${tenant.id}` : tenant.id);
  note(`next: weir keys create --tenant ${tenant.id} --role admin`);
}
