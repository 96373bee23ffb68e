import { readFileSync } from 'node:fs';
import type { Boot } from '../protocol/runner.ts';
import { runAttempt } from './attempt.ts';
import { deliverLeftLog } from './deliver.ts';

/**
 * The program: `main.ts <boot file>` runs one node of one attempt and exits; `main.ts deliver <state directory>` sends what
 * one that was killed had not sent of its log.
 */
async function main([first, stateDir]: string[]): Promise<number> {
  if (first === 'deliver' && stateDir !== undefined) return deliverLeftLog(stateDir);
  if (first === undefined) {
    process.stderr.write('usage: main.ts <boot file> | deliver <state directory>\n');
    return 64;
  }
  return run(first);
}

async function run(bootPath: string): Promise<number> {
  const preemption = new AbortController();
  process.on('SIGTERM', () => preemption.abort());
  process.on('SIGINT', () => preemption.abort());
  // The terminal that the service was started from may go; the job stays.
  process.on('SIGHUP', () => undefined);
  const boot = JSON.parse(readFileSync(bootPath, 'utf8')) as Boot;
  return runAttempt(boot, bootPath, preemption.signal);
}

main(process.argv.slice(2)).then(
  (exitCode) => process.exit(exitCode),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
