import { Command, InvalidArgumentError, Option } from 'commander';
import { WeirError } from '../../src/core/errors.ts';
import { durationSources, type DurationSource } from '../../src/dispatch/simulate-trace.ts';
import { orders, type Order } from '../../src/dispatch/simulate-jobs.ts';
import { compare, type Variant } from './compare.ts';
import { readScenario, type ReadOptions } from './read.ts';
import { tableOf } from './table.ts';

/** `npm run simulate -- <file>`: what would have come of these jobs under these rules. docs/simulations.md has examples. */
type Options = {
  order: Order[];
  durations?: DurationSource[];
  backfill: boolean;
  tenants: 'user' | 'group';
  processors?: number;
  load?: number[];
  halfLife?: string;
  policies?: string;
  json?: boolean;
};

const numberAbove0 = (text: string): number => {
  const value = Number(text);
  if (!(value > 0) || value === Infinity) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
};

const program = new Command('npm run simulate --')
  .description('Replays jobs through weir’s dispatch, and shows waits, use and fairness.')
  .argument('<file>', 'a trace (.swf, .swf.gz), or YAML or JSON as POST /v1/simulations takes it')
  .addOption(new Option('--order <order...>', 'whose rules; several are compared').choices(orders).default(['weir']))
  .addOption(
    new Option(
      '--durations <source...>',
      'what jobs of a trace are expected to take (declared where it says, else predicted)',
    ).choices(durationSources),
  )
  .option(
    '--load <part...>',
    'of a trace: arrivals so fast that they ask for this part of the machine, such as 0.9',
    (text, all: number[] | undefined) => [...(all ?? []), numberAbove0(text)],
  )
  .addOption(new Option('--tenants <who>', 'of a trace').choices(['user', 'group']).default('user'))
  .option('--processors <count>', 'of a trace, in place of what its header says', numberAbove0)
  .option('--half-life <time>', 'of past use, such as 3d')
  .option('--policies <file>', 'YAML or JSON: tenants’ policies, by tenant')
  .option('--no-backfill', 'nothing passes the first job of its queue')
  .option('--json', 'one object, with the summary last')
  .showHelpAfterError();

async function main(file: string, options: Options): Promise<void> {
  const { order, durations = [undefined], load = [undefined], backfill } = options;
  const variants: Variant[] = [];
  for (const part of load)
    for (const source of durations)
      for (const rules of order) {
        const read: ReadOptions = { ...options, load: part, durations: source };
        variants.push({
          name: [rules, source, part].filter((word) => word !== undefined).join(' '),
          scenario: { ...(await readScenario(file, read)), order: rules, backfill },
        });
      }
  const compared = compare(variants);
  process.stdout.write(options.json === true ? `${JSON.stringify(compared)}\n` : tableOf(compared));
}

try {
  program.parse();
  await main(program.args[0] ?? '', program.opts<Options>());
} catch (error) {
  const faults =
    error instanceof WeirError
      ? error.faults
          .filter(({ pointer }) => pointer !== '')
          .map(({ pointer, detail }) => `\n  ${pointer} ${detail}`)
          .join('')
      : '';
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}${faults}\n`);
  process.exitCode = 1;
}
