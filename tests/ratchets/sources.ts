import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

export const root = join(import.meta.dirname, '../..');

const skipped = new Set(['node_modules', '.git', '.weir', 'generated', 'dist', 'coverage']);

/** The repository's own files under a folder with one of these endings, by their path from the root. */
export function listFiles(folder: string, endings: string[]): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return skipped.has(entry.name) ? [] : listFiles(path, endings);
      return endings.some((ending) => entry.name.endsWith(ending)) ? [relative('.', path)] : [];
    })
    .sort();
}

export function readSource(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
