import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { environmentOf, listProcesses, realUid, signal, workingDirectoryOf, type Process } from './processes.ts';
import { readJobFile, type InstanceRecord, type JobFile } from './records.ts';

/** What the runner puts into the environment of its job: see src/runner/environment.ts. */
const markerVariable = 'WEIR_RUNNER_ID';

const rounds = 20;
const betweenRoundsMs = 10;
const engineTimeoutMs = 30_000;

/**
 * Kills the runner and its job: also what ignores SIGTERM, has left its process group and session, or forks while being killed.
 * @returns whether nothing lives any more.
 */
export async function killAll(directory: string, record: InstanceRecord): Promise<boolean> {
  const job = await readJobFile(directory);
  if (job?.container !== undefined) await removeContainer(job.container);
  for (let round = 0; round < rounds; round += 1) {
    const found = listProcesses().filter((candidate) => belongsTo(record, job, candidate));
    if (found.length === 0) return true;
    for (const each of found) signal(each, 'SIGKILL');
    if (record.uid !== null) await killUid(record.uid);
    await sleep(betweenRoundsMs);
  }
  return false;
}

/** The engine's processes are no children of the runner's, and what it keeps of a container outlives them. */
async function removeContainer({ program, name }: { program: string; name: string }): Promise<void> {
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin' };
  // Gone is well, and an engine that does not answer now is asked again: what lives is killed below.
  await promisify(execFile)(program, ['rm', '--force', '--volumes', name], { env, timeout: engineTimeoutMs }).catch(
    () => undefined,
  );
}

function belongsTo(record: InstanceRecord, job: JobFile | undefined, candidate: Process): boolean {
  if (candidate.pid === process.pid) return false;
  if (candidate.pid === record.runner?.pid) return candidate.startTicks === record.runner.startTicks;
  // The working directory tells of one that has emptied its environment; one with a terminal is a person looking.
  return (
    (record.uid !== null && realUid(candidate) === record.uid) ||
    (job !== undefined && (isMarked(job, candidate) || isInGroup(record, job, candidate))) ||
    (!candidate.hasTerminal && isInside(record.workDir, workingDirectoryOf(candidate)))
  );
}

function isMarked({ marker }: JobFile, candidate: Process): boolean {
  return environmentOf(candidate).includes(`${markerVariable}=${marker}`);
}

/** Not older than the runner: a group's number may have been given out again. */
function isInGroup({ runner }: InstanceRecord, job: JobFile, { groupId, sessionId, startTicks }: Process): boolean {
  return (groupId === job.pgid || sessionId === job.pgid) && startTicks >= (runner?.startTicks ?? Infinity);
}

function isInside(directory: string, path: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}

/** The kernel kills all processes of a uid in one step, which no fork can outrun. */
async function killUid(uid: number): Promise<void> {
  const child = spawn('/bin/sh', ['-c', 'kill -9 -1'], { uid, gid: uid, cwd: '/', stdio: 'ignore', env: {} });
  await once(child, 'exit').catch(() => undefined);
}
