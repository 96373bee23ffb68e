import { InvalidArgumentError, Option, type Command } from 'commander';
import { exitCodes } from './failure.ts';

/** A verb gets its arguments and then its flags, and answers the exit code; none means 0. */
export type Verb = (...given: never[]) => Promise<number | void>;

/** Verbs are loaded when they are called for, so that help comes at once. */
export type Load = () => Promise<Verb>;

/** Adds a verb, such as `show <job>`, that takes what all take. */
export type Add = (parent: Command, usage: string, load: Load) => Command;

/** What a command line came to. */
export type Outcome = { code: number };

export function addVerb(parent: Command, usage: string, load: Load, outcome: Outcome): Command {
  const whole = parent.parent === null ? usage : `${parent.name()} ${usage}`;
  const verb = parent
    .command(usage)
    .showHelpAfterError(`next: weir ${whole}, or add --help to see what it takes`)
    .option('--json', 'print JSON, as the API answers it')
    .option('--profile <name>', 'the server and key that weir login kept under this name')
    .action(async (...given: unknown[]) => {
      const run = (await load()) as (...args: unknown[]) => Promise<number | void>;
      // Behind arguments and flags commander hands over the command itself.
      outcome.code = (await run(...given.slice(0, -1))) ?? exitCodes.ok;
    });
  // Another tenant's job may have the same name.
  return usage.includes('<job>') ? verb.addOption(tenantFlag()) : verb;
}

export function tenantFlag(): Option {
  return new Option('--tenant <tenant>', 'for which tenant, by id or name; only operators need it');
}

export function limitFlag(standard: number): Option {
  return new Option('--limit <n>', 'how many at most').argParser(parseCount).default(standard);
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
  return count;
}

/** The words behind `--`, which are a job's command and no arguments of ours. */
export function wordsBehindDashes(command: Command): string[] {
  let top = command;
  while (top.parent !== null) top = top.parent;
  const raw = (top as Command & { rawArgs: string[] }).rawArgs;
  const at = raw.indexOf('--');
  return at < 0 ? [] : raw.slice(at + 1);
}
