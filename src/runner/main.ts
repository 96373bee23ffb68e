import { readFileSync } from 'node:fs';
import type { Boot } from '../protocol/runner.ts';
import { runAttempt } from './attempt.ts';

/** The program: `main.ts <boot file>` runs one node of one attempt and exits. */
async function main(bootPath: string | undefined): Promise<number> {
  if (bootPath === undefined) {
    process.stderr.write('usage: main.ts <boot file>\n');
    return 64;
  }
  const preemption = new AbortController();
  process.on('SIGTERM', () => preemption.abort());
  process.on('SIGINT', () => preemption.abort());
  // The terminal that the service was started from may go; the job stays.
  process.on('SIGHUP', () => undefined);
  const boot = JSON.parse(readFileSync(bootPath, 'utf8')) as Boot;
  return runAttempt(boot, bootPath, preemption.signal);
}

main(process.argv[2]).then(
  (exitCode) => process.exit(exitCode),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
