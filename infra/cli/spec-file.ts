import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { LineCounter, parseDocument, type Document, type Node } from 'yaml';
import type { Fault } from '../../src/core/errors.ts';
import { exitCodes, Failure, usageFailure } from './failure.ts';

/** A YAML or JSON file, which knows where in it each field stands. */
export type SpecFile = {
  value: object;
  /** Runs a call that sends the value; a fault that the server finds in it is shown at its line. */
  placing: <T>(call: () => Promise<T>) => Promise<T>;
};

/** `-` is what comes in by the pipe. */
export async function readSpecFile(path: string): Promise<SpecFile> {
  const text = await readText(path);
  const name = path === '-' ? 'stdin' : path;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const faults = document.errors.map(({ message, pos: [at] }) => ({
    pointer: placeOf(name, lines, at),
    detail: message,
  }));
  if (faults.length > 0) throw new Failure(`${name} is not valid YAML.`, { exitCode: exitCodes.usage, faults });
  const value: unknown = document.toJS();
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw usageFailure(`${name} holds no fields, such as name: value.`);
  return {
    value,
    placing: (call) => call().catch((error: unknown) => Promise.reject(placed(error, { name, document, lines }))),
  };
}

async function readText(path: string): Promise<string> {
  if (path === '-') return readAll(process.stdin);
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw usageFailure(`There is no file ${path}.`);
    throw usageFailure(`${path} can't be read: ${error.message}`);
  });
}

type Read = { name: string; document: Document; lines: LineCounter };

function placed(error: unknown, read: Read): unknown {
  if (!(error instanceof Failure) || error.faults.length === 0) return error;
  const { message, exitCode, faults, next, problem } = error;
  return new Failure(message, {
    exitCode,
    faults: faults.map((fault) => withPlace(fault, read)),
    ...(next === undefined ? {} : { next }),
    ...(problem === undefined ? {} : { problem }),
  });
}

function withPlace({ pointer, detail }: Fault, { name, document, lines }: Read): Fault {
  if (!pointer.startsWith('/')) return { pointer, detail };
  const path = pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const node = document.getIn(path, true) as Node | undefined;
  const at = node?.range?.[0];
  return { pointer: at === undefined ? pointer : `${placeOf(name, lines, at)} ${pointer}`, detail };
}

function placeOf(name: string, lines: LineCounter, at: number): string {
  const { line, col } = lines.linePos(at);
  return `${name}:${line}:${col}`;
}
