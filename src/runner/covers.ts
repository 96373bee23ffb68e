import { existsSync, realpathSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

export type Cover = { path: string; isDirectory: boolean };

/** Where hidden files and directories would be seen in directories that are shown, whatever links lead to either. */
export function coversOf(hidden: string[], shown: string[]): Cover[] {
  const found = [...realPaths(hidden)].flatMap(([real]) =>
    [...realPaths(shown)]
      .filter(([realShown]) => isWithin(realShown, real))
      .map(([realShown, path]) => ({
        path: join(path, relative(realShown, real)),
        isDirectory: statSync(real).isDirectory(),
      })),
  );
  return found.filter(({ path }) => !found.some((other) => other.path !== path && isWithin(other.path, path)));
}

function realPaths(paths: string[]): Map<string, string> {
  return new Map(paths.filter((path) => existsSync(path)).map((path) => [realpathSync(path), path]));
}

function isWithin(directory: string, path: string): boolean {
  return `${path}/`.startsWith(`${directory}/`);
}
