import { Option, type Command } from 'commander';
import { limitFlag, tenantFlag, type Add } from './verb.ts';

export function lastFlag(): Option {
  return new Option('--last <time>', 'replay the jobs of so long up to now, such as 7d');
}

export function addPoolVerbs(program: Command, add: Add): void {
  program.commandsGroup('The pool');
  add(program, 'offers', async () => (await import('./commands/offers.ts')).offers)
    .description('what can be bought now')
    .option('--accelerator <kind>', 'only machines with this kind, such as H100');
  add(program, 'shares', async () => (await import('./commands/shares.ts')).shares)
    .description('who used how much of the compute')
    .option('--window <time>', 'up to now, such as 24h or 30d, or all', '30d')
    .addOption(new Option('--month <month>', 'a calendar month instead, such as 2026-11').conflicts('window'));
  add(program, 'statement', async () => (await import('./commands/statement.ts')).statement)
    .description('a tenant’s money, line by line, newest first')
    .addOption(limitFlag(50))
    .addOption(tenantFlag());
  add(program, 'simulate [file]', async () => (await import('./commands/simulate.ts')).simulate)
    .description('replay jobs under other rules or capacity (operators)')
    .addOption(lastFlag());
}
