import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import ignore, { type Ignore } from 'ignore';
import { create as createTar } from 'tar';
import { usageFailure } from './failure.ts';

/** What is left out, by rules that count from the directory they stand in. */
type Rules = { base: string; matcher: Ignore };

/** Of a data set or an environment that was meant to stay at home. */
const maxFiles = 50_000;

const ruleFiles = ['.gitignore', '.weirignore'];

/**
 * The files under a directory that its .gitignore and .weirignore files, and those of the repository around it, leave
 * in; by their paths from it.
 * @throws Failure where there is no such directory, or more in it than anyone means to send.
 */
export async function listSource(directory: string): Promise<string[]> {
  const root = resolve(directory);
  const found = await stat(root).catch(() => undefined);
  if (found?.isDirectory() !== true) throw usageFailure(`There is no directory ${directory} to take the source from.`);
  const around = await Promise.all((await directoriesAround(root)).map(rulesIn));
  const files = await walk(root, around.flat(), []);
  return files.map((path) => relative(root, path)).sort();
}

/** From the top of the repository down to the directory's parent; none where there is no repository. */
async function directoriesAround(root: string): Promise<string[]> {
  const above: string[] = [];
  for (let directory = root; ; directory = dirname(directory)) {
    if (directory !== root) above.unshift(directory);
    if ((await stat(join(directory, '.git')).catch(() => undefined)) !== undefined) return above;
    if (dirname(directory) === directory) return [];
  }
}

async function rulesIn(base: string): Promise<Rules[]> {
  const texts = await Promise.all(ruleFiles.map((name) => readFile(join(base, name), 'utf8').catch(() => '')));
  return texts.every((text) => text === '') ? [] : [{ base, matcher: ignore().add(texts.join('\n')) }];
}

/** Adds to `files`. */
async function walk(directory: string, above: Rules[], files: string[]): Promise<string[]> {
  const rules = [...above, ...(await rulesIn(directory))];
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.name === '.git' || isLeftOut(entry.isDirectory() ? `${path}${sep}` : path, rules)) continue;
    if (entry.isDirectory()) await walk(path, rules, files);
    else if (entry.isFile() || entry.isSymbolicLink()) files.push(path);
    if (files.length > maxFiles)
      throw usageFailure(
        `${directory} and what lies around it are over ${maxFiles} files: too many to send with a job.`,
        'name in .weirignore what the job does not need, or send nothing with --no-source',
      );
  }
  return files;
}

/** The rules nearest to a file have the last word, as in git. */
function isLeftOut(path: string, rules: Rules[]): boolean {
  let isOut = false;
  for (const { base, matcher } of rules) {
    const { ignored, unignored } = matcher.test(
      relative(base, path).replaceAll(sep, '/') + (path.endsWith(sep) ? '/' : ''),
    );
    isOut = ignored || (isOut && !unignored);
  }
  return isOut;
}

/** Before it some archivers know no time. */
const anyTime = new Date('1980-01-01T00:00:00Z');

/** Writes a tar.gz of these files: the same bytes for the same files, whenever they were written, so that they are sent once. */
export async function pack(directory: string, files: readonly string[], archive: string): Promise<void> {
  const named = files.map((path) => `./${path}`);
  const options = { gzip: true, portable: true, noDirRecurse: true, mtime: anyTime };
  await createTar({ ...options, file: archive, cwd: resolve(directory) }, named);
}
