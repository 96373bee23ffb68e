import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import ignore, { type Ignore } from 'ignore';
import { create as createTar } from 'tar';
import { usageFailure } from './failure.ts';
import { rulesFrom } from './ignore-rules.ts';

/** Of a data set or an environment that was meant to stay at home. */
const maxFiles = 50_000;

const ruleFiles = ['.gitignore', '.weirignore'];

/**
 * The files under a directory that its .gitignore and .weirignore files, and those of the repository around it, leave
 * in; by their paths from it.
 * @throws Failure where there is no such directory, more in it than anyone means to send, or a link that leads out of it.
 */
export async function listSource(directory: string): Promise<string[]> {
  const root = resolve(directory);
  const found = await stat(root).catch(() => undefined);
  if (found?.isDirectory() !== true) throw usageFailure(`There is no directory ${directory} to take the source from.`);
  const above = await directoriesAround(root);
  const top = above[0] ?? root;
  // The same files are sent from each machine, whatever its file system makes of upper and lower case.
  let rules = ignore({ ignorecase: false });
  for (const each of above) rules = await withRulesIn(each, top, rules);
  const files = await walk(root, { root, top, rules }, []);
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

/** The rules above a directory, and behind them its own, since the nearest have the last word. */
async function withRulesIn(directory: string, top: string, above: Ignore): Promise<Ignore> {
  const texts = await Promise.all(ruleFiles.map((name) => readFile(join(directory, name), 'utf8').catch(() => '')));
  const rules = texts.flatMap((text) => rulesFrom(text, toSlashes(relative(top, directory))));
  return rules.length === 0 ? above : ignore({ ignorecase: false }).add(above).add(rules);
}

type Walk = { root: string; top: string; rules: Ignore };

/** Adds to `files`. */
async function walk(directory: string, { root, top, rules: above }: Walk, files: string[]): Promise<string[]> {
  const rules = await withRulesIn(directory, top, above);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    const named = toSlashes(relative(top, path)) + (entry.isDirectory() ? '/' : '');
    if (entry.name === '.git' || rules.ignores(named)) continue;
    if (entry.isSymbolicLink()) await requireWithin(root, path);
    if (entry.isDirectory()) await walk(path, { root, top, rules }, files);
    else if (entry.isFile() || entry.isSymbolicLink()) files.push(path);
    if (files.length > maxFiles)
      throw usageFailure(
        `${directory} and what lies around it are over ${maxFiles} files: too many to send with a job.`,
        'name in .weirignore what the job does not need, or send nothing with --no-source',
      );
  }
  return files;
}

/** On the job's machine, where only the source is, a link that leads out of it would be refused. */
async function requireWithin(root: string, link: string): Promise<void> {
  const target = await readlink(link);
  const way = relative(root, resolve(dirname(link), target));
  if (!isAbsolute(target) && way !== '..' && !way.startsWith(`..${sep}`)) return;
  const name = relative(root, link);
  throw usageFailure(
    `${name} is a link to ${target}: only links that lead to within the source, by a relative path, go along with it.`,
    `name ${name}, or the directory it is in, in .weirignore, or put a copy in the link’s place`,
  );
}

function toSlashes(path: string): string {
  return path.replaceAll(sep, '/');
}

/** Before it some archivers know no time. */
const anyTime = new Date('1980-01-01T00:00:00Z');

/** Writes a tar.gz of these files: the same bytes for the same files, whenever they were written, so that they are sent once. */
export async function pack(directory: string, files: readonly string[], archive: string): Promise<void> {
  const named = files.map((path) => `./${path}`);
  const options = { gzip: true, portable: true, noDirRecurse: true, mtime: anyTime };
  await createTar({ ...options, file: archive, cwd: resolve(directory) }, named);
}
