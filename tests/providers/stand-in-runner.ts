import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Boot } from '../../src/protocol/runner.ts';
import { argumentsOf, environmentOf, listProcesses, signal } from '../../src/providers/local/processes.ts';

/**
 * A runner without a broker: what it is to run stands where its bootstrap token would. It starts that as the real one does,
 * writes the job file, and hands SIGTERM on.
 */
if (process.argv[2] === undefined) process.exit(64);
const boot = JSON.parse(readFileSync(process.argv[2], 'utf8')) as Boot;
const { isolation, workDir } = boot;
const uid = isolation.kind === 'none' ? null : isolation.uid;
// Tests use the same names side by side.
const marker = boot.stateDir;

const bubblewrap = [
  '--ro-bind',
  '/',
  '/',
  '--dev',
  '/dev',
  '--proc',
  '/proc',
  '--bind',
  workDir,
  workDir,
  '--unshare-pid',
];
const command = ['/bin/sh', '-c', boot.bootstrapToken];
const [program, ...args] = isolation.kind === 'bubblewrap' ? ['bwrap', ...bubblewrap, ...command] : command;
const job = spawn(program ?? '', args, {
  cwd: workDir,
  detached: true,
  stdio: 'ignore',
  env: { PATH: ['/usr/bin:/bin', ...boot.toolDirs].join(':'), ...boot.env, WEIR_RUNNER_ID: marker },
  ...(uid === null ? {} : { uid, gid: uid }),
});
writeFileSync(join(boot.stateDir, 'job.json'), JSON.stringify({ pid: job.pid, pgid: job.pid, uid, marker }));

process.on('SIGTERM', () => {
  const ofJob = listProcesses().filter((each) => environmentOf(each).includes(`WEIR_RUNNER_ID=${marker}`));
  // bubblewrap would end the whole namespace.
  for (const each of ofJob) if (argumentsOf(each)[0] !== 'bwrap') signal(each, 'SIGTERM');
});
job.on('exit', () => process.exit(0));
