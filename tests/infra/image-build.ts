import { spawn, execFile } from 'node:child_process';
import { chmod, cp, mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Cmd, Copy, Env, Run, Workdir } from 'dockerfile-ast';
import { commandOf, contextFiles, copyStepOf, filesOf, repository, stagesOf, type Stage } from './dockerfile.ts';

/** A stage after its last instruction, on a directory of its own instead of an image's file system. */
export type Built = { root: string; workdir: string; env: Record<string, string>; command: string[] };

const shell = promisify(execFile);

/** What the checkout's own `npm ci` has fetched is not fetched again, and nobody reads what npm says of it. */
const fromNpmsCache = { npm_config_prefer_offline: 'true', npm_config_audit: 'false', npm_config_fund: 'false' };

/**
 * Follows the Dockerfile's own COPY, RUN, ENV and CMD with a directory for each stage, in which a relative path means the
 * same as in the image. What a RUN does to the system, apt-get, is only simulated.
 */
export async function buildImage(dockerfile: string, directory: string): Promise<Built> {
  const tools = join(directory, 'tools');
  await makeAptSimulator(tools);
  const built = new Map<string, Built>();
  let last: Built | undefined;
  for (const stage of stagesOf(dockerfile)) {
    last = await buildStage(stage, { root: join(directory, stage.name), tools, built });
    built.set(stage.name, last);
  }
  if (last === undefined) throw new Error('The Dockerfile has no stage.');
  return last;
}

type Surroundings = { root: string; tools: string; built: Map<string, Built> };

async function buildStage({ instructions }: Stage, { root, tools, built }: Surroundings): Promise<Built> {
  const stage: Built = { root, workdir: root, env: {}, command: [] };
  await mkdir(root, { recursive: true });
  for (const instruction of instructions) {
    if (instruction instanceof Workdir) {
      stage.workdir = join(root, commandOf(instruction));
      await mkdir(stage.workdir, { recursive: true });
    } else if (instruction instanceof Copy) {
      await copy(instruction, stage, built);
    } else if (instruction instanceof Run) {
      const env = { ...process.env, ...fromNpmsCache, ...stage.env, PATH: `${tools}:${process.env['PATH']}` };
      await shell('sh', ['-ec', commandOf(instruction)], { cwd: stage.workdir, env, maxBuffer: 64 * 1024 * 1024 });
    } else if (instruction instanceof Env) {
      for (const property of instruction.getProperties()) stage.env[property.getName()] = property.getValue() ?? '';
    } else if (instruction instanceof Cmd) {
      stage.command = instruction.getJSONStrings().map((word) => word.getJSONValue());
    }
  }
  return stage;
}

async function copy(instruction: Copy, stage: Built, built: Map<string, Built>): Promise<void> {
  const { from, sources, target } = copyStepOf(instruction);
  const place = inStage(stage, target);
  const isFolder = target.endsWith('/') || sources.length > 1;
  for (const source of sources) {
    if (from === undefined) await copyFromContext(source, place, isFolder);
    else await cp(join(built.get(from)?.root ?? '', source), place, { recursive: true, verbatimSymlinks: true });
  }
}

async function copyFromContext(source: string, place: string, isFolder: boolean): Promise<void> {
  for (const path of filesOf(source, contextFiles())) {
    const isOneFile = path === source;
    const end = isOneFile
      ? isFolder
        ? join(place, path.split('/').at(-1) ?? '')
        : place
      : join(place, path.slice(source.length + 1));
    await mkdir(dirname(end), { recursive: true });
    await cp(join(repository, path), end);
  }
}

function inStage({ root, workdir }: Built, path: string): string {
  return path.startsWith('/') ? join(root, path) : join(workdir, path);
}

/** The real apt-get, asked only what it would do: it fails for a package that Debian does not have. */
async function makeAptSimulator(tools: string): Promise<void> {
  const program = join(tools, 'apt-get');
  await mkdir(tools, { recursive: true });
  await writeFile(program, '#!/bin/sh\n[ "$1" = update ] || exec /usr/bin/apt-get --simulate "$@"\n');
  await chmod(program, 0o755);
}

/** Starts the image's command with other arguments and settings. Paths of the image's environment lie under its root. */
export async function startImage(
  { root, workdir, env, command }: Built,
  mode: string,
  settings: Record<string, string>,
) {
  const ownPaths = await Promise.all(
    Object.entries(env).map(async ([name, value]) => [
      name,
      (await exists(join(root, value))) && value.startsWith('/') ? join(root, value) : value,
    ]),
  );
  const [program = '', ...args] = command;
  const child = spawn(program, [...args, mode], {
    cwd: workdir,
    env: { PATH: process.env['PATH'] ?? '', ...(Object.fromEntries(ownPaths) as Record<string, string>), ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { child, output: () => output };
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
