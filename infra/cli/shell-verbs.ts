import { Argument, type Command } from 'commander';
import { shells, type Shell } from './shell-scripts.ts';

export function addShellVerbs(program: Command): void {
  program.commandsGroup('Your shell');
  program
    .command('completion')
    .description('print what makes Tab complete verbs, flags and jobs')
    .addArgument(new Argument('<shell>', 'for which shell').choices(shells))
    .action(async (shell: Shell) => (await import('./commands/completion.ts')).completion(shell));
  // What that script calls at each Tab.
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(async (words: string[]) => (await import('./commands/completion.ts')).complete(program, words));
}
