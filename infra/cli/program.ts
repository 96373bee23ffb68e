import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { exitCodes } from './failure.ts';

/** A verb gets its arguments and then its flags, and answers the exit code; none means 0. */
type Verb = (...given: never[]) => Promise<number | void>;

/** Verbs are loaded when they are called for, so that help comes at once. */
type Load = () => Promise<Verb>;

const jobStates = ['queued', 'provisioning', 'running', 'stopping', 'succeeded', 'failed', 'cancelled'];
const roles = ['viewer', 'member', 'admin', 'operator'];

const about = `Training compute: quotes before jobs, fair order, budgets that hold.

A spec is a YAML or JSON file, or - for stdin. A JOB is an id, or a name for the newest job of that name.`;

const afterHelp = `
Exit codes: 0 done, 1 failed, 2 the command can't be understood, 3 not signed in; submit --wait: the job's own.
WEIR_URL and WEIR_KEY come before what weir login keeps. NO_COLOR turns colours off.
Begin with: weir login --server URL --key KEY`;

/** Runs a command line, without the program's name, and answers the exit code. */
export async function run(given: string[]): Promise<number> {
  const outcome = { code: exitCodes.ok as number };
  const program = build(outcome);
  try {
    await program.parseAsync(given.length === 0 ? ['--help'] : given, { from: 'user' });
    return outcome.code;
  } catch (error) {
    // It has said what it has to say.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    const { report } = await import('./report.ts');
    return report(error, given.includes('--json'));
  }
}

type Outcome = { code: number };

function build(outcome: Outcome): Command {
  const program = new Command('weir')
    .description(about)
    .exitOverride()
    .helpCommand(false)
    .addHelpText('after', afterHelp);
  program.configureOutput({ writeErr: (text) => process.stderr.write(text.replace(/^error: /, 'weir: ')) });
  program.showHelpAfterError('next: add --help to see what it takes');
  const add = (parent: Command, usage: string, load: Load) => addVerb(parent, usage, load, outcome);
  addJobVerbs(program, add);
  addFileVerbs(program, add);
  addPoolVerbs(program, add);
  addAdminVerbs(program, add);
  return program;
}

type Add = (parent: Command, usage: string, load: Load) => Command;

function addVerb(parent: Command, usage: string, load: Load, outcome: Outcome): Command {
  return parent
    .command(usage)
    .option('--json', 'print JSON, as the API answers it')
    .option('--profile <name>', 'the server and key that weir login kept under this name')
    .action(async (...given: unknown[]) => {
      const verb = (await load()) as (...args: unknown[]) => Promise<number | void>;
      // Behind arguments and flags commander hands over the command itself.
      outcome.code = (await verb(...given.slice(0, -1))) ?? exitCodes.ok;
    });
}

const tenantFlag = () => new Option('--tenant <tenant>', 'for which tenant, by id or name; only operators need it');
const limitFlag = (standard: number) =>
  new Option('--limit <n>', 'how many at most').argParser(parseCount).default(standard);

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
  return count;
}

function addJobVerbs(program: Command, add: Add): void {
  program.commandsGroup('Jobs');
  add(program, 'quote <spec>', async () => (await import('./commands/quote.ts')).quote)
    .description('what a job would take and cost, on each machine that could run it')
    .option('--all', 'all options, not the best ten')
    .option('--pilot', 'run it for up to two minutes first, and quote from the speed it reached')
    .addOption(tenantFlag());
  add(program, 'submit <spec>', async () => (await import('./commands/submit.ts')).submit)
    .description('quote a job, ask, and submit it')
    .option('-y, --yes', 'do not ask')
    .option('--wait', 'show the log until the job ends, and exit with its exit code')
    .option('--source <dir>', 'pack this directory, less what .gitignore and .weirignore name, as the job’s source')
    .addOption(tenantFlag());
  add(program, 'ps', async () => (await import('./commands/ps.ts')).ps)
    .description('list jobs, newest first')
    .addOption(new Option('--state <state>', 'only jobs in this state').choices(jobStates))
    .option('--name <name>', 'only jobs of this name')
    .option('--array <job>', 'the tasks of this array')
    .addOption(limitFlag(20))
    .addOption(tenantFlag());
  add(program, 'show <job>', async () => (await import('./commands/show.ts')).show).description('a job in full');
  add(program, 'why <job>', async () => (await import('./commands/why.ts')).why).description(
    'what a job waits for, and what would let it start',
  );
  add(program, 'logs <job>', async () => (await import('./commands/logs.ts')).logs)
    .description('what a job printed')
    .option('-f, --follow', 'go on until the job ends');
  add(program, 'cancel <job>', async () => (await import('./commands/cancel.ts')).cancel).description(
    'stop a job, or take it out of the queue',
  );
}

function addFileVerbs(program: Command, add: Add): void {
  program.commandsGroup('Files');
  add(program, 'upload <file>', async () => (await import('./commands/upload.ts')).upload)
    .description('send an archive or data for specs to name; prints its weir:// address')
    .addOption(tenantFlag());
  const artifacts = program.command('artifacts').description('what jobs produced');
  add(artifacts, 'ls <job>', async () => (await import('./commands/artifacts.ts')).listArtifacts).description(
    'list a job’s artifacts',
  );
  add(artifacts, 'get <job> [path...]', async () => (await import('./commands/artifacts.ts')).getArtifacts)
    .description('fetch artifacts, checked by their checksums: the files or folders named, or all')
    .option('-o, --output <dir>', 'where to', '.');
}

function addPoolVerbs(program: Command, add: Add): void {
  program.commandsGroup('The pool');
  add(program, 'offers', async () => (await import('./commands/offers.ts')).offers)
    .description('what can be bought now')
    .option('--accelerator <kind>', 'only machines with this kind, such as H100');
  add(program, 'shares', async () => (await import('./commands/shares.ts')).shares)
    .description('who used how much of the compute')
    .option('--window <time>', 'up to now, such as 24h or 30d, or all', '30d')
    .addOption(new Option('--month <month>', 'a calendar month instead, such as 2026-11').conflicts('window'));
  add(program, 'statement', async () => (await import('./commands/statement.ts')).statement)
    .description('a tenant’s money, line by line, oldest first')
    .addOption(limitFlag(50))
    .addOption(tenantFlag());
}

function addAdminVerbs(program: Command, add: Add): void {
  program.commandsGroup('Access and rules');
  add(program, 'login', async () => (await import('./commands/login.ts')).login)
    .description('keep a server and a key; what is left out is asked for, the key may come by a pipe')
    .option('--server <url>', 'where weir answers')
    .option('--key <key>', 'your key');
  const tenants = program.command('tenants').description('teams (operators)');
  add(tenants, 'ls', async () => (await import('./commands/tenants.ts')).listTenants).description('list tenants');
  add(tenants, 'create <name>', async () => (await import('./commands/tenants.ts')).createTenant).description(
    'make a tenant',
  );
  const keys = program.command('keys').description('a tenant’s keys (admins)');
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
  const policy = program.command('policy').description('weights, caps, budgets, share caps');
  const poolFlag = () => new Option('--pool', 'the pool’s policy (operators)').conflicts('tenant');
  add(policy, 'get', async () => (await import('./commands/policy.ts')).getPolicy)
    .description('print a policy as YAML')
    .addOption(tenantFlag())
    .addOption(poolFlag());
  add(policy, 'set <file>', async () => (await import('./commands/policy.ts')).setPolicy)
    .description('set a policy from a file (operators); what the file leaves out no longer limits')
    .addOption(tenantFlag())
    .addOption(poolFlag());
}
