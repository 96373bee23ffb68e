import { Command, CommanderError, type Argument } from 'commander';
import { version } from '../../src/core/version.ts';
import { addAccessVerbs } from './access-verbs.ts';
import { exitCodes, usageFailure, type Failure } from './failure.ts';
import { beforeDashes } from './command-line.ts';
import { addFileVerbs } from './file-verbs.ts';
import { addJobVerbs } from './job-verbs.ts';
import { addPoolVerbs } from './pool-verbs.ts';
import { paint } from './screen.ts';
import { addShellVerbs } from './shell-verbs.ts';
import { addVerb, type Add, type Outcome } from './verb.ts';

const about = `Training compute: quotes before jobs, fair order, budgets that hold.

A SPEC is a YAML or JSON file, or - for stdin. A JOB is an id, or a name for the newest job of that name.`;

const afterHelp = `
Exit codes: 0 done, 1 failed, 2 the command can't be understood, 3 not signed in; submit --wait: the job's own.
WEIR_URL and WEIR_KEY come before what weir login keeps, WEIR_PROFILE chooses of it, --profile before all. NO_COLOR turns colours off.
Begin with: weir login --server URL --key KEY`;

/** Runs a command line, without the program's name, and answers the exit code. */
export async function run(given: string[]): Promise<number> {
  const outcome = { code: exitCodes.ok as number };
  // Behind -- stand the words of a job's command.
  const isJson = beforeDashes(given).includes('--json');
  const program = buildProgram(outcome, isJson);
  try {
    await program.parseAsync(helpAsFlag(given), { from: 'user' });
    return outcome.code;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.ok;
    // In words it has said what it has to say.
    if (error instanceof CommanderError && !isJson) return exitCodes.usage;
    const { report } = await import('./report.ts');
    return report(error instanceof CommanderError ? usageFailureOf(error) : error, isJson);
  }
}

/** `help submit`, as other commands have it, is `submit --help`, and so is nothing at all. */
function helpAsFlag(given: string[]): string[] {
  const [first = 'help', ...others] = given;
  return first === 'help' ? [...others, '--help'] : given;
}

function usageFailureOf({ message }: CommanderError): Failure {
  return usageFailure(message.replace(/^error: /, '').replaceAll('\n', ' '), 'add --help to see what it takes');
}

/** `show <job>`, and of a verb with verbs of its own `artifacts ls|get|open`. */
function termOf(verb: Command): string {
  if (verb.commands.length > 0) return `${verb.name()} ${verb.commands.map((each) => each.name()).join('|')}`;
  return `${verb.name()} ${verb.registeredArguments.map(operandTerm).join(' ')}`.trimEnd();
}

function operandTerm(operand: Argument): string {
  const name = `${operand.name()}${operand.variadic ? '...' : ''}`;
  return operand.required ? `<${name}>` : `[${name}]`;
}

/** All verbs; what one answers is left in `outcome`. With `isSilent` faults of the command line are only thrown. */
export function buildProgram(outcome: Outcome, isSilent = false): Command {
  const program = new Command('weir')
    .description(about)
    .version(version)
    .exitOverride()
    .helpCommand(false)
    .configureHelp({ subcommandTerm: termOf, styleTitle: (title) => paint('bold', title) })
    .addHelpText('after', afterHelp);
  program.configureOutput({
    writeErr: (text) => isSilent || process.stderr.write(text.replace(/^error: /, 'weir: ')),
  });
  program.showHelpAfterError('next: add --help to see what it takes');
  const add: Add = (parent, usage, load) => addVerb(parent, usage, load, outcome);
  addJobVerbs(program, add);
  addFileVerbs(program, add);
  addPoolVerbs(program, add);
  addAccessVerbs(program, add);
  addShellVerbs(program);
  return program;
}
