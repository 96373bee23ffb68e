import { Failure, exitCodes } from './failure.ts';
import { paintError, plain, say } from './screen.ts';
import { versionAdvice } from './server-version.ts';

/** Says what went wrong on stderr and answers the exit code. Nobody is shown a stack trace. */
export function report(error: unknown, isJson: boolean): number {
  const failure = error instanceof Failure ? error : unforeseen(error);
  if (isJson) say(JSON.stringify(failure.problem ?? problemLike(failure)));
  else say(textOf(failure));
  return failure.exitCode;
}

function textOf({ message, faults, next = versionAdvice(), problem }: Failure): string {
  const blockers = (problem as { blockers?: { message: string; unblocks: string }[] } | undefined)?.blockers ?? [];
  return [
    `${paintError(['bold', 'red'], 'weir:')} ${plain(message)}`,
    ...faults.map(
      ({ pointer, detail }) => `  ${pointer === '' ? '' : `${paintError('bold', pointer)}: `}${plain(detail)}`,
    ),
    ...blockers.map(({ message: why, unblocks }) => `  ${plain(why)} ${plain(unblocks)}`),
    ...(next === undefined ? [] : [`${paintError('dim', 'next:')} ${next}`]),
  ].join('\n');
}

function problemLike({ message, faults, next }: Failure): object {
  return {
    title: message,
    detail: message,
    ...(faults.length > 0 ? { errors: faults } : {}),
    ...(next === undefined ? {} : { next }),
  };
}

/** Of the machine, such as a full disk, or a bug of ours: the first line of what it says. */
function unforeseen(error: unknown): Failure {
  const [line = 'something went wrong'] = String(error instanceof Error ? error.message : error).split('\n');
  const isOfMachine = error instanceof Error && 'code' in error;
  return new Failure(line, {
    cause: error,
    exitCode: exitCodes.failure,
    ...(isOfMachine
      ? {}
      : { next: versionAdvice() ?? 'this is a fault of the weir command; please tell who maintains it' }),
  });
}
