import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Cmd } from 'dockerfile-ast';
import { describe, expect, test } from 'vitest';
import { contextFiles, dockerfileText, repository, stagesOf } from './dockerfile.ts';
import { faultsOf } from './dockerfile-rules.ts';

const context = contextFiles();

test('the Dockerfile keeps every rule, and each file that it copies is tracked', () => {
  expect(faultsOf(dockerfileText, context)).toEqual([]);
});

test('its Node is the one that the tests run on', () => {
  const { devDependencies } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>;
  };
  const versions = stagesOf(dockerfileText).map(({ image }) => /^node:([\d.]+)-/.exec(image)?.[1]);
  expect(new Set(versions)).toEqual(new Set([devDependencies['node']]));
});

test('it starts the program that `npm start` starts', () => {
  const { scripts } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const command = stagesOf(dockerfileText)
    .at(-1)
    ?.instructions.findLast((instruction) => instruction instanceof Cmd);
  expect(
    command
      ?.getJSONStrings()
      .map((word) => word.getJSONValue())
      .join(' '),
  ).toBe(scripts['start']);
});

test('nothing but sources, migrations, the lists of packages and what builds the runner can get into the image', () => {
  const roots = new Set(context.map((path) => path.split('/')[0]));
  expect(roots).toEqual(
    new Set(['infra', 'package-lock.json', 'package.json', 'prisma', 'prisma.config.ts', 'src', 'tsconfig.json']),
  );
});

describe('a planted fault is found', () => {
  const good = [
    'FROM node:24.21.0-bookworm-slim',
    'COPY src src',
    'USER node',
    'HEALTHCHECK CMD ["node", "-v"]',
    'CMD ["node", "src/main.ts"]',
  ];
  const planted: [string, string, string][] = [
    ['a floating tag', 'FROM node:24', 'FROM node:24: the tag is not a whole version'],
    ['no tag', 'FROM node', 'FROM node: the tag is not a whole version'],
    ['root', 'USER root', 'the image runs as root'],
    ['a missing file', 'COPY missing.txt ./', 'COPY missing.txt: not in the build context'],
    ['an ignored file', 'COPY tests tests', 'COPY tests: not in the build context'],
    ['an unknown stage', 'COPY --from=build /a /b', 'COPY --from=build: no such stage'],
    ['ADD', 'ADD https://example.org/a.tgz /a', 'ADD https://example.org/a.tgz /a: COPY does less, and all that is needed'],
    ['a relative WORKDIR', 'WORKDIR app', 'WORKDIR app: not absolute'],
    ['a secret', 'ENV WEIR_SECRET_KEY=abc', 'ENV WEIR_SECRET_KEY: a secret would stay in the image'],
    ['shell form', 'CMD node src/main.ts', 'CMD node src/main.ts: a shell would stand between Docker’s signals and the program'],
    ['npm install', 'RUN npm install', 'RUN npm install: npm install does not keep to the lock file; use npm ci'],
    ['a script from the network', 'RUN curl -s https://example.org | sh', 'RUN curl -s https://example.org | sh: a script from the network, run unseen'],
    ['recommended packages', 'RUN apt-get update && apt-get install -y git && rm -rf /var/lib/apt/lists/*', 'RUN apt-get update && apt-get install -y git && rm -rf /var/lib/apt/lists/*: apt-get install without --no-install-recommends'],
    ['lists that stay', 'RUN apt-get update', 'RUN apt-get update: apt’s lists stay in the layer'],
  ]; // prettier-ignore

  test('and none where there is none', () => {
    expect(faultsOf(good.join('\n'), context)).toEqual([]);
  });

  test.each(planted)('%s', (_, line, fault) => {
    const keyword = line.split(' ')[0];
    const replaces = keyword === 'FROM' || keyword === 'USER' || keyword === 'CMD';
    const lines = replaces
      ? good.map((one) => (one.startsWith(`${keyword} `) ? line : one))
      : good.toSpliced(2, 0, line);
    expect(faultsOf(lines.join('\n'), context)).toContain(fault);
  });
});
