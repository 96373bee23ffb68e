import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Assignment, Boot } from '../protocol/runner.ts';
import { containerCommand, endContainer, pullImage, requireEngine } from './container.ts';
import { jobUid } from './prepare.ts';
import { confine, type Launch, type Room } from './sandbox.ts';

export type LauncherDeps = { boot: Boot; assignment: Assignment; marker: string; tmpDir: string };

/** How a command with its environment is started: in a container where the spec names an image, else as the machine isolates its jobs. */
export type Launcher = (
  argv: string[],
  env: Record<string, string>,
) => { launch: Launch; endContainer?: () => Promise<void> };

export async function chooseLauncher(
  { boot, assignment, marker, tmpDir }: LauncherDeps,
  signal: AbortSignal,
): Promise<Launcher> {
  const { spec, limits, nodes } = assignment;
  const { image } = spec;
  if (image === undefined) {
    const room: Room = {
      isolation: boot.isolation,
      workDir: boot.workDir,
      tmpDir,
      toolDirs: boot.toolDirs,
      memoryBytes: limits.memoryBytes,
    };
    return (argv, env) => ({ launch: confine(room, argv, env) });
  }
  const program = await requireEngine(image);
  await pullImage(program, image, signal);
  const name = `weir-${marker}`;
  const environmentPath = join(boot.stateDir, 'container.env');
  const plan = {
    program,
    name,
    image,
    workDir: boot.workDir,
    environmentPath,
    uid: jobUid(boot),
    limits,
    isGang: nodes > 1,
  };
  return (argv, env) => ({
    launch: containerCommand(plan, argv, env),
    endContainer: () => endContainer(program, name),
  });
}

export function inShell(script: string, image: string | undefined): string[] {
  // An image need not have bash.
  return [image === undefined && existsSync('/bin/bash') ? '/bin/bash' : '/bin/sh', '-c', script];
}
