import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { DockerfileParser, From, type Copy, type Instruction } from 'dockerfile-ast';

// Its types speak of a default export, which it has not.
const require = createRequire(import.meta.url);
const dockerignore = require('@balena/dockerignore') as () => {
  add: (patterns: string) => { filter: (paths: string[]) => string[] };
};

export const repository = join(import.meta.dirname, '../..');
export const dockerfileText = readFileSync(join(repository, 'infra/images/Dockerfile'), 'utf8');

export type Stage = { name: string; image: string; instructions: Instruction[] };

/** The stages of a Dockerfile in order, each with what follows its FROM. */
export function stagesOf(text: string): Stage[] {
  const stages: Stage[] = [];
  for (const instruction of DockerfileParser.parse(text).getInstructions()) {
    if (instruction instanceof From) {
      stages.push({
        name: instruction.getBuildStage() ?? String(stages.length),
        image: instruction.getImage() ?? '',
        instructions: [],
      });
    } else {
      stages.at(-1)?.instructions.push(instruction);
    }
  }
  return stages;
}

/** What a RUN hands to the shell. */
export function commandOf(instruction: Instruction): string {
  return instruction.getArgumentsContent() ?? '';
}

export type CopyStep = { from: string | undefined; sources: string[]; target: string };

export function copyStepOf(instruction: Copy): CopyStep {
  const words = instruction.getArguments().map((argument) => argument.getValue());
  const from =
    instruction
      .getFlags()
      .find((flag) => flag.getName() === 'from')
      ?.getValue() ?? undefined;
  return { from, sources: words.slice(0, -1), target: words.at(-1) ?? '' };
}

/** What `docker build` would be sent: the tracked files that .dockerignore lets through. */
export function contextFiles(): string[] {
  const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: repository })
    .toString()
    .split('\0')
    .filter((path) => path !== '');
  const ignore = dockerignore().add(readFileSync(join(repository, '.dockerignore'), 'utf8'));
  return ignore.filter(tracked);
}

/** The files of the context that a source of a COPY means. */
export function filesOf(source: string, context: string[]): string[] {
  return context.filter((path) => path === source || path.startsWith(`${source}/`));
}
