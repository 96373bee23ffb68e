import { spawn } from 'node:child_process';

/** Ends the machine that the runner runs on. */
export function shutDown(): void {
  spawn('shutdown', ['-h', 'now'], { detached: true, stdio: 'ignore' })
    .on('error', () => undefined)
    .unref();
}
