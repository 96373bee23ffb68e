import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { exitCodes } from '../../infra/cli/failure.ts';
import { buildProgram } from '../../infra/cli/program.ts';
import { version } from '../../src/core/version.ts';
import { readSource } from './sources.ts';

const page = readSource('docs/cli.md');

/** Every verb by all its names, such as `artifacts get`, hidden ones left out. */
function verbsOf(command: Command, above: string[] = []): { name: string; flags: string[] }[] {
  const help = command.createHelp();
  const name = [...above, command.name()];
  if (command.commands.length === 0)
    return [{ name: name.slice(1).join(' '), flags: help.visibleOptions(command).map(({ long }) => long ?? '') }];
  return help.visibleCommands(command).flatMap((verb) => verbsOf(verb, name));
}

const verbs = verbsOf(buildProgram({ code: 0 }));

test('docs/cli.md names every verb and every flag of the command', () => {
  const inTable = [...page.matchAll(/`([a-z]+(?: [a-z]+)?)(?: [^`]*)?`/g)].map(([, name]) => name);
  expect(verbs.map(({ name }) => name).filter((name) => !inTable.includes(name))).toEqual([]);
  const flags = new Set(verbs.flatMap((verb) => verb.flags));
  expect([...flags].filter((flag) => !new RegExp(`${flag}\\b`).test(page))).toEqual([]);
});

test('every verb and flag that docs/cli.md names is one of the command’s', () => {
  const names = verbs.map(({ name }) => name);
  const shell = [...page.matchAll(/^```sh\n([^]*?)^```|^\$ (.*)$/gm)]
    .map(([, block, line]) => block ?? line)
    .join('\n');
  const typed = [...shell.matchAll(/(?<=^|npx |\| |\()weir ([a-z]+)(?: ([a-z]+))?/gm)];
  expect(typed.length).toBeGreaterThan(25);
  const unknown = typed.filter(
    ([, verb, second]) => !names.includes(`${verb}`) && !names.includes(`${verb} ${second}`),
  );
  expect(unknown.map(([line]) => line)).toEqual([]);
  const flags = new Set(verbs.flatMap((verb) => verb.flags));
  const written = page.replaceAll(/^.* -- .*$/gm, '').match(/(?<![\w-])--[a-z]+(-[a-z]+)*/g) ?? [];
  expect([...new Set(written)].filter((flag) => !flags.has(flag) && !ofOthers.has(flag))).toEqual([]);
});

/** Flags of npm's. */
const ofOthers = new Set(['--global']);

test('docs/cli.md lists the exit codes', () => {
  const listed = [...page.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
  expect(listed.sort((a, b) => a - b)).toEqual(Object.values(exitCodes).toSorted((a, b) => a - b));
});

test('service, command and packages are of one version', () => {
  for (const path of ['package.json', 'infra/cli/package.json'])
    expect([path, JSON.parse(readSource(path)).version]).toEqual([path, version]);
});
