import type { Argument, Command, Option } from 'commander';
import { answer } from './api.ts';
import { readConfigFile } from './config-file.ts';
import { connect } from './session.ts';

export type Suggestion = { value: string; about: string };

/** What may be typed at the end of a command line. `isFile`: or the name of a file. */
export type Suggestions = { items: Suggestion[]; isFile: boolean };

const nothing: Suggestions = { items: [], isFile: false };
const files: Suggestions = { items: [], isFile: true };

/** Suggestions for the last of the words, which may be empty or begun. */
export async function suggest(program: Command, given: readonly string[]): Promise<Suggestions> {
  // bash hands over `--state=queued` as three words.
  const words = given.filter((word, index) => word !== '=' || index === given.length - 1);
  const typed = words.at(-1) === '=' ? '' : (words.at(-1) ?? '');
  const before = words.slice(0, -1);
  if (before.includes('--')) return files;
  const { command, operands, awaited } = walk(program, before);
  if (awaited !== undefined) return begun(await valuesOf(awaited), typed);
  if (typed.startsWith('-')) return suggestFlag(command, typed);
  if (command.commands.length > 0) return begun({ items: verbsOf(command), isFile: false }, typed);
  const taken = command.registeredArguments;
  const next = taken[operands] ?? taken.findLast(({ variadic }) => variadic);
  return next === undefined ? nothing : begun(await argumentsOf(next), typed);
}

/** A flag, or behind its `=` its value, where the shell takes both for one word. */
async function suggestFlag(command: Command, typed: string): Promise<Suggestions> {
  const at = typed.indexOf('=');
  const flag = typed.slice(0, at);
  const option = at < 0 ? undefined : command.options.find((each) => takesValue(each, flag));
  if (option === undefined) return begun({ items: flagsOf(command), isFile: false }, typed);
  const { items, isFile } = await valuesOf(option);
  return begun({ items: items.map(({ value, about }) => ({ value: `${flag}=${value}`, about })), isFile }, typed);
}

type Place = {
  command: Command;
  /** How many arguments are there already. */
  operands: number;
  /** The flag whose value comes next. */
  awaited: Option | undefined;
};

function walk(program: Command, words: readonly string[]): Place {
  const place: Place = { command: program, operands: 0, awaited: undefined };
  for (const word of words) {
    if (place.awaited !== undefined) place.awaited = undefined;
    else if (word.startsWith('-')) place.awaited = place.command.options.find((option) => takesValue(option, word));
    else {
      const verb = place.command.commands.find((each) => each.name() === word);
      if (verb === undefined) place.operands += 1;
      else place.command = verb;
    }
  }
  return place;
}

function takesValue({ short, long, required, optional }: Option, word: string): boolean {
  return (required || optional) && (word === short || word === long);
}

function begun({ items, isFile }: Suggestions, typed: string): Suggestions {
  return { items: items.filter(({ value }) => value.startsWith(typed)), isFile };
}

function verbsOf(command: Command): Suggestion[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((verb) => ({ value: verb.name(), about: verb.description() }));
}

function flagsOf(command: Command): Suggestion[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map(({ long, short, description }) => ({ value: long ?? short ?? '', about: description }));
}

async function valuesOf(option: Option): Promise<Suggestions> {
  if (option.argChoices !== undefined) return { items: option.argChoices.map(named), isFile: false };
  switch (option.attributeName()) {
    case 'profile':
      return { items: Object.keys((await readConfigFile()).profiles).map(named), isFile: false };
    case 'array':
    case 'after':
      return jobs();
    case 'source':
      return files;
    case 'output':
      return files;
    default:
      return nothing;
  }
}

async function argumentsOf(argument: Argument): Promise<Suggestions> {
  if (argument.argChoices !== undefined) return { items: argument.argChoices.map(named), isFile: false };
  switch (argument.name()) {
    case 'job':
      return jobs();
    case 'spec':
    case 'file':
      return files;
    default:
      return nothing;
  }
}

function named(value: string): Suggestion {
  return { value, about: '' };
}

const jobsSuggested = 30;

/** The newest jobs; none where the server can't be asked, since nobody reads an error at a Tab. */
async function jobs(): Promise<Suggestions> {
  try {
    const { api, named: tenant } = await connect({});
    const { items } = await answer(
      api.GET('/v1/jobs/summaries', { params: { query: { ...tenant, limit: jobsSuggested } } }),
    );
    const about = items.map(({ id, name, state }) => ({ value: id, about: `${name}, ${state}` }));
    return { items: about, isFile: false };
  } catch {
    return nothing;
  }
}
