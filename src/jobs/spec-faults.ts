import { WeirError, type Fault } from '../core/errors.ts';
import type { JobSpec } from '../protocol/job-spec.ts';

const maxFilesBytes = 1024 * 1024;

/** Linux takes no longer string as an argument or in an environment, counting the NUL at its end. */
const maxArgumentBytes = 128 * 1024 - 1;
/** Half of what Linux takes in all, so that the rest is left for secrets and the machine's own variables. */
const maxArgumentsBytes = 1024 * 1024;

/** @throws WeirError `invalid` with every fault of `specFaults`. */
export async function requireSound(spec: JobSpec, now: Date): Promise<void> {
  const faults = specFaults(spec, now);
  if (faults.length > 0) throw new WeirError('invalid', 'The job spec has faults.', { faults });
}

/** What the schema can't say about a spec. All faults together. */
export function specFaults(spec: JobSpec, now: Date): Fault[] {
  return [
    ...deadlineFaults(spec, now),
    ...dependencyFaults(spec),
    ...fileFaults(spec.files ?? {}),
    ...argumentFaults(spec),
    ...valueFaults(spec),
  ];
}

function dependencyFaults({ dependsOn = [] }: JobSpec): Fault[] {
  const named = new Set<string>();
  return dependsOn.flatMap(({ job }, index) => {
    const isRepeated = named.has(job);
    named.add(job);
    return isRepeated
      ? [{ pointer: `/dependsOn/${index}/job`, detail: `${job} is named before; name each job once.` }]
      : [];
  });
}

/** A body of faults alone must not make an answer without end. */
const maxValueFaults = 100;

function valueFaults({ array }: JobSpec): Fault[] {
  const faults: Fault[] = [];
  const entries = array !== undefined && 'values' in array ? array.values : [];
  for (const [index, entry] of entries.entries()) {
    for (const [name, value] of Object.entries(entry)) {
      const sizeBytes = Buffer.byteLength(`${name}=${value}`);
      if (sizeBytes > maxArgumentBytes) faults.push(tooLong(`/array/values/${index}/${escaped(name)}`, sizeBytes));
    }
    if (faults.length >= maxValueFaults) break;
  }
  return faults;
}

function deadlineFaults({ deadline }: JobSpec, now: Date): Fault[] {
  if (deadline === undefined || Date.parse(deadline) > now.getTime()) return [];
  return [{ pointer: '/deadline', detail: `${deadline} has passed; name a time to come, or leave it out.` }];
}

function fileFaults(files: Record<string, string>): Fault[] {
  const sizeBytes = Object.values(files).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const folders = new Set(Object.keys(files).flatMap(foldersOf));
  return [
    ...(sizeBytes <= maxFilesBytes
      ? []
      : [
          {
            pointer: '/files',
            detail: `The files are ${sizeBytes} bytes together, over ${maxFilesBytes}; upload an archive (POST /v1/uploads) and name it as source.`,
          },
        ]),
    ...Object.keys(files)
      .filter((path) => path.split('/').some((part) => part === '' || part === '.'))
      .map((path) => ({
        pointer: `/files/${escaped(path)}`,
        detail: `"${path}" names no file; write its path plainly, such as src/train.py.`,
      })),
    ...Object.keys(files)
      .filter((path) => folders.has(path))
      .map((path) => ({
        pointer: `/files/${escaped(path)}`,
        detail: `"${path}" is a folder too, as the path of another file says; rename one.`,
      })),
  ];
}

/** Every folder that a path lies in: `a/b/c` lies in `a` and `a/b`. */
function foldersOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_part, index) => parts.slice(0, index + 1).join('/'));
}

/** A program that can't be started for the length of its command is better refused than tried. */
function argumentFaults({ command, setup, env = {} }: JobSpec): Fault[] {
  const named = [
    ...(typeof command === 'string'
      ? [{ pointer: '/command', text: command }]
      : command.map((text, index) => ({ pointer: `/command/${index}`, text }))),
    ...Object.entries(env).map(([name, value]) => ({ pointer: `/env/${escaped(name)}`, text: `${name}=${value}` })),
  ];
  const measured = named.map(({ pointer, text }) => ({ pointer, sizeBytes: Buffer.byteLength(text) }));
  const allBytes = measured.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const overlong = [...measured, { pointer: '/setup', sizeBytes: Buffer.byteLength(setup ?? '') }].filter(
    ({ sizeBytes }) => sizeBytes > maxArgumentBytes,
  );
  return [
    ...overlong.map(({ pointer, sizeBytes }) => tooLong(pointer, sizeBytes)),
    ...(allBytes <= maxArgumentsBytes
      ? []
      : [
          {
            pointer: '/command',
            detail: `command and env are ${allBytes} bytes together, over ${maxArgumentsBytes}; put what is long into files.`,
          },
        ]),
  ];
}

function tooLong(pointer: string, sizeBytes: number): Fault {
  const detail = `This is ${sizeBytes} bytes long, over the ${maxArgumentBytes} that a program can be given; put it into files.`;
  return { pointer, detail };
}

function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
