import { existsSync } from 'node:fs';
import type { Assignment, Boot } from '../protocol/runner.ts';
import { createContainer, type Container } from './container.ts';
import { isForTpu, nvidiaDevices, tpuDevices } from './devices.ts';
import { pullImage, requireEngine } from './engine.ts';
import { jobUid } from './prepare.ts';
import { confine, type Launch, type Room } from './sandbox.ts';

export type LauncherDeps = { boot: Boot; assignment: Assignment; marker: string };

/** How a command with its environment is started: in a container where the spec names an image, else as the machine isolates its jobs. */
export type Launcher = (argv: string[], env: Record<string, string>) => { launch: Launch; container?: Container };

export async function chooseLauncher(
  { boot, assignment, marker }: LauncherDeps,
  signal: AbortSignal,
): Promise<Launcher> {
  const { spec, limits } = assignment;
  const { image } = spec;
  const ofTpu = isForTpu(spec) ? tpuDevices() : [];
  if (image === undefined) {
    const room: Room = {
      isolation: boot.isolation,
      workDir: boot.workDir,
      tmpDir: boot.tmpDir,
      toolDirs: boot.toolDirs,
      memoryBytes: limits.memoryBytes,
      devices: [...nvidiaDevices(limits.gpus), ...ofTpu],
      hidden: boot.hidden,
    };
    return (argv, env) => ({ launch: confine(room, argv, env) });
  }
  const program = await requireEngine(image);
  await pullImage(program, image, signal);
  const plan = {
    program,
    name: `weir-${marker}`,
    image,
    workDir: boot.workDir,
    tmpDir: boot.tmpDir,
    stateDir: boot.stateDir,
    // Where jobs have no uid of their own, the files are the runner's.
    uid: jobUid(boot) ?? process.getuid?.() ?? 0,
    limits,
    devices: ofTpu,
    hostEnv: boot.env,
  };
  return (argv, env) => {
    const container = createContainer(plan, argv, env);
    return { launch: container.launch, container };
  };
}

export function inShell(script: string, image: string | undefined): string[] {
  // An image need not have bash.
  return [image === undefined && existsSync('/bin/bash') ? '/bin/bash' : '/bin/sh', '-c', script];
}
