import {
  Add,
  Cmd,
  Copy,
  Entrypoint,
  Env,
  Healthcheck,
  type JSONInstruction,
  Run,
  User,
  Workdir,
  type Instruction,
} from 'dockerfile-ast';
import { commandOf, copyStepOf, filesOf, stagesOf, type Stage } from './dockerfile.ts';

/** What hadolint would say of a Dockerfile, of those of its rules that matter here, and what COPY would not find. */
export function faultsOf(text: string, context: string[]): string[] {
  const stages = stagesOf(text);
  const names = stages.map(({ name }) => name);
  const last = stages.at(-1);
  return [
    ...stages.filter(({ image }) => !names.includes(image)).flatMap(imageFaults),
    ...stages
      .flatMap(({ instructions }) => instructions)
      .flatMap((instruction) => instructionFaults(instruction, { names, context })),
    ...(last === undefined ? ['there is no FROM'] : lastStageFaults(last)),
  ];
}

function imageFaults({ image }: Stage): string[] {
  return /:\d+\.\d+\.\d+(-[\w.-]+)?$/.test(image) ? [] : [`FROM ${image}: the tag is not a whole version`];
}

type Surroundings = { names: string[]; context: string[] };

function instructionFaults(instruction: Instruction, surroundings: Surroundings): string[] {
  if (instruction instanceof Add) return [`ADD ${commandOf(instruction)}: COPY does less, and all that is needed`];
  if (instruction instanceof Copy) return copyFaults(instruction, surroundings);
  if (instruction instanceof Run) return runFaults(instruction);
  if (instruction instanceof Env) return secretFaults(instruction);
  if (instruction instanceof Workdir)
    return commandOf(instruction).startsWith('/') ? [] : [`WORKDIR ${commandOf(instruction)}: not absolute`];
  if (instruction instanceof Cmd || instruction instanceof Entrypoint) return execFormFaults(instruction);
  return [];
}

function copyFaults(instruction: Copy, { names, context }: Surroundings): string[] {
  const { from, sources } = copyStepOf(instruction);
  if (from !== undefined) return names.includes(from) ? [] : [`COPY --from=${from}: no such stage`];
  return sources
    .filter((source) => filesOf(source, context).length === 0)
    .map((source) => `COPY ${source}: not in the build context`);
}

function runFaults(instruction: Run): string[] {
  const command = commandOf(instruction);
  const mounts = instruction.getFlags().map((flag) => flag.toString());
  const checks: [boolean, string][] = [
    [/\bsudo\b/.test(command), 'sudo'],
    [/\bnpm (i|install)\b/.test(command), 'npm install does not keep to the lock file; use npm ci'],
    [/\b(curl|wget)\b.*\|\s*(ba)?sh\b/.test(command), 'a script from the network, run unseen'],
    [
      /\bapt-get install\b/.test(command) && !/\bapt-get update\b.*&&/.test(command),
      'apt-get install without update in the same RUN',
    ],
    [
      /\bapt-get install\b/.test(command) && !/--no-install-recommends/.test(command),
      'apt-get install without --no-install-recommends',
    ],
    [/\bapt-get install\b/.test(command) && !/\s(-y|--yes|-yq{1,2}|-qq?y)\b/.test(command), 'apt-get install asks'],
    [/\bapt-get update\b/.test(command) && !leavesNoLists(command, mounts), 'apt’s lists stay in the layer'],
  ];
  return checks.filter(([isFault]) => isFault).map(([, fault]) => `RUN ${command}: ${fault}`);
}

function leavesNoLists(command: string, mounts: string[]): boolean {
  return (
    /rm -rf? \/var\/lib\/apt\/lists/.test(command) ||
    mounts.some((mount) => /type=cache,target=\/var\/lib\/apt(,|\/|$)/.test(mount))
  );
}

function secretFaults(instruction: Env): string[] {
  const names = instruction.getProperties().map((property) => property.getName());
  return names
    .filter((name) => /PASSWORD|SECRET|TOKEN|KEY/i.test(name))
    .map((name) => `ENV ${name}: a secret would stay in the image`);
}

function execFormFaults(instruction: Cmd | Entrypoint): string[] {
  return isExecForm(instruction)
    ? []
    : [
        `${instruction.getKeyword()} ${commandOf(instruction)}: a shell would stand between Docker’s signals and the program`,
      ];
}

function isExecForm(instruction: JSONInstruction): boolean {
  return instruction.getOpeningBracket() !== null && instruction.getClosingBracket() !== null;
}

function lastStageFaults({ instructions }: Stage): string[] {
  const user = instructions.findLast((instruction) => instruction instanceof User);
  const name = user === undefined ? 'root' : commandOf(user);
  const changesAfter =
    user === undefined ? [] : instructions.slice(instructions.indexOf(user)).filter((one) => one instanceof Run);
  return [
    ...(/^(root|0)(:|$)/.test(name) ? ['the image runs as root'] : []),
    ...changesAfter.map((instruction) => `RUN ${commandOf(instruction)}: after USER`),
    ...(instructions.some((one) => one instanceof Healthcheck) ? [] : ['there is no HEALTHCHECK']),
    ...(instructions.some((one) => one instanceof Cmd) ? [] : ['there is no CMD']),
  ];
}
