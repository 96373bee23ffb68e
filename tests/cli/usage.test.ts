import { expect, test } from 'vitest';
import { commandFromSources } from './stub-server.ts';

test('a fault of the command line is JSON where --json is ours, and not where it is a word of a job’s command', async () => {
  const weir = await commandFromSources();
  const wrong = await weir.run(['ps', '--jsno', '--json']);
  expect({ ...wrong, stderr: JSON.parse(wrong.stderr) as unknown }).toEqual({
    code: 2,
    stdout: '',
    stderr: expect.objectContaining({ detail: expect.stringContaining('Did you mean --json?') }),
  });
  expect(await weir.run(['quote', '--name', 'a', '--', 'train', '--json'])).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/^weir: You are not signed in\./),
  });
});

test('an argument that is missing is named, with what to type', async () => {
  const weir = await commandFromSources();
  expect(await weir.run(['artifacts', 'get'])).toEqual({
    code: 2,
    stdout: '',
    stderr:
      "weir: missing required argument 'job'\nnext: weir artifacts get <job> [path...], or add --help to see what it takes\n",
  });
});
