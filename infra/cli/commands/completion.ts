import type { Command } from 'commander';
import { print } from '../screen.ts';
import { shellScripts, type Shell } from '../shell-scripts.ts';
import { suggest } from '../suggest.ts';

/** Prints the script that a shell sources. */
export async function completion(shell: Shell): Promise<void> {
  print(shellScripts[shell]);
}

/** What may come next, as that script reads it. */
export async function complete(program: Command, words: string[]): Promise<void> {
  const { items, isFile } = await suggest(program, words);
  for (const { value, about } of items) print(`${value}\t${about}`);
  if (isFile) print(':files');
}
