import { Option, type Command } from 'commander';
import { usageFailure } from './failure.ts';
import type { JobState } from './generated/api.ts';
import { addSpecFlags, type SpecSource } from './spec-flags.ts';
import { limitFlag, tenantFlag, wordsBehindDashes, type Add } from './verb.ts';

const jobStates = ['queued', 'provisioning', 'running', 'stopping', 'succeeded', 'failed', 'cancelled'] as const satisfies JobState[]; // prettier-ignore

export function addJobVerbs(program: Command, add: Add): void {
  program.commandsGroup('Jobs');
  addSpecVerbs(program, add);
  add(program, 'ps', async () => (await import('./commands/ps.ts')).ps)
    .description('list jobs, newest first')
    .addOption(new Option('--state <state>', 'only jobs in this state').choices(jobStates))
    .option('--name <name>', 'only jobs of this name')
    .addOption(new Option('--array <job>', 'the tasks of this array').conflicts('name'))
    .addOption(limitFlag(20))
    .addOption(tenantFlag());
  add(program, 'top', async () => (await import('./commands/top.ts')).top)
    .description('queue, jobs and shares, live; q ends it')
    .option('--every <seconds>', 'how often to look', '2')
    .addOption(tenantFlag());
  add(program, 'show <job>', async () => (await import('./commands/show.ts')).show).description('a job in full');
  add(program, 'why <job>', async () => (await import('./commands/why.ts')).why).description(
    'what a job waits for, and what would let it start',
  );
  add(program, 'logs <job>', async () => (await import('./commands/logs.ts')).logs)
    .description('what a job printed')
    .option('-f, --follow', 'go on until the job ends');
  add(program, 'events <job>', async () => (await import('./commands/events.ts')).events)
    .description('what happened to a job')
    .option('-f, --follow', 'go on until the job ends');
  add(program, 'cancel <job>', async () => (await import('./commands/cancel.ts')).cancel).description(
    'stop a job, or take it out of the queue',
  );
  const webhooks = program.command('webhooks').helpCommand(false).description('what a job’s webhooks were sent');
  add(webhooks, 'ls <job>', async () => (await import('./commands/webhooks.ts')).listWebhooks).description(
    'list what was sent, and how that went',
  );
  add(
    webhooks,
    'replay <job> [delivery...]',
    async () => (await import('./commands/webhooks.ts')).replayWebhooks,
  ).description('send again what is named, or all that could not be delivered');
  add(webhooks, 'secret', async () => (await import('./commands/webhooks.ts')).showWebhookSecret)
    .description('print the secret that signs them (admins)')
    .addOption(tenantFlag());
}

function addSpecVerbs(program: Command, add: Add): void {
  const sourceOf = (path: string | undefined, words: string[]): SpecSource => {
    const command = wordsBehindDashes(program);
    const files = [...(path === undefined ? [] : [path]), ...words].slice(0, -command.length || undefined);
    if (files.length > 1)
      throw usageFailure(
        `One spec at a time, and here are ${files.join(' and ')}.`,
        'the job’s own command goes behind --',
      );
    return { path: files[0], command };
  };
  const quote = add(program, 'quote [spec]', async () => {
    const { quote: verb } = await import('./commands/quote.ts');
    return (path: string | undefined, words: string[], flags: Parameters<typeof verb>[1]) =>
      verb(sourceOf(path, words), flags);
  })
    .argument('[command...]', 'behind --: the job’s command, in place of the spec’s')
    .description('what a job would take and cost, on each machine')
    .option('--all', 'all options, not the best ten')
    .option('--pilot', 'run it for up to two minutes first, and quote from the speed it reached');
  const submit = add(program, 'submit [spec]', async () => {
    const { submit: verb } = await import('./commands/submit.ts');
    return (path: string | undefined, words: string[], flags: Parameters<typeof verb>[1]) =>
      verb(sourceOf(path, words), flags);
  })
    .argument('[command...]', 'behind --: the job’s command, in place of the spec’s')
    .description('quote a job, ask, send its source and submit it')
    .option('-y, --yes', 'do not ask')
    .option('--wait', 'show the log until the job ends, and exit with its exit code')
    .option('--quote <quote>', 'at the prices of this quote, which weir quote made');
  for (const verb of [quote, submit]) {
    verb
      .option('--source <dir>', 'the directory to pack as the job’s source, less what .gitignore and .weirignore name')
      .option('--no-source', 'send no source')
      .addOption(tenantFlag());
    addSpecFlags(verb);
  }
}
