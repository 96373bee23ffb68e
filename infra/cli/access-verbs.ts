import { Option, type Command } from 'commander';
import type { Role } from './generated/api.ts';
import { lastFlag } from './pool-verbs.ts';
import { limitFlag, tenantFlag, type Add } from './verb.ts';

const roles = ['viewer', 'member', 'admin', 'operator'] as const satisfies Role[];

export function addAccessVerbs(program: Command, add: Add): void {
  program.commandsGroup('Access and rules');
  add(program, 'login', async () => (await import('./commands/login.ts')).login)
    .description('keep a server and a key, asked for or by a pipe')
    .option('--server <url>', 'where weir answers')
    .option('--key <key>', 'your key');
  add(program, 'logout', async () => (await import('./commands/login.ts')).logout).description('forget a kept key');
  add(program, 'whoami', async () => (await import('./commands/whoami.ts')).whoami).description(
    'whose key is used, on which server',
  );
  addTenantVerbs(program, add);
  addPolicyVerbs(program, add);
  add(program, 'audit', async () => (await import('./commands/audit.ts')).audit)
    .description('who changed what, newest first (operators)')
    .addOption(limitFlag(50))
    .addOption(tenantFlag());
}

function addTenantVerbs(program: Command, add: Add): void {
  const tenants = program.command('tenants').helpCommand(false).description('teams (operators)');
  add(tenants, 'ls', async () => (await import('./commands/tenants.ts')).listTenants).description('list tenants');
  add(tenants, 'create <name>', async () => (await import('./commands/tenants.ts')).createTenant).description(
    'make a tenant',
  );
  const keys = program.command('keys').helpCommand(false).description('a tenant’s keys (admins)');
  add(keys, 'ls', async () => (await import('./commands/keys.ts')).listKeys)
    .description('list keys')
    .addOption(tenantFlag());
  add(keys, 'create', async () => (await import('./commands/keys.ts')).createKey)
    .description('make a key and print it, this once')
    .addOption(new Option('--role <role>', 'what it may do').choices(roles).default('member'))
    .option('--label <text>', 'whose it is, or what for')
    .addOption(tenantFlag());
  add(keys, 'revoke <key>', async () => (await import('./commands/keys.ts')).revokeKey)
    .description('revoke a key, by its id')
    .addOption(tenantFlag());
  const secrets = program
    .command('secrets')
    .helpCommand(false)
    .description('variables of jobs that nobody else sees (admins)');
  add(secrets, 'ls', async () => (await import('./commands/secrets.ts')).listSecrets)
    .description('list the names')
    .addOption(tenantFlag());
  add(secrets, 'set <name>', async () => (await import('./commands/secrets.ts')).setSecret)
    .description('keep a secret; its value is asked for, or comes by a pipe')
    .addOption(tenantFlag());
  add(secrets, 'rm <name>', async () => (await import('./commands/secrets.ts')).removeSecret)
    .description('remove a secret')
    .addOption(tenantFlag());
}

function addPolicyVerbs(program: Command, add: Add): void {
  const policy = program.command('policy').helpCommand(false).description('weights, caps, budgets, share caps');
  const poolFlag = () => new Option('--pool', 'the pool’s policy (operators)').conflicts('tenant');
  add(policy, 'get', async () => (await import('./commands/policy.ts')).getPolicy)
    .description('print a policy as YAML')
    .addOption(tenantFlag())
    .addOption(poolFlag());
  add(policy, 'set <file>', async () => (await import('./commands/policy.ts')).setPolicy)
    .description('set a policy; what the file leaves out no longer limits (operators)')
    .addOption(tenantFlag())
    .addOption(poolFlag());
  add(policy, 'preview <file>', async () => (await import('./commands/policy-preview.ts')).previewPolicy)
    .description('what last week would have been under a policy (operators)')
    .addOption(lastFlag().default('7d'))
    .addOption(tenantFlag())
    .addOption(poolFlag());
}
