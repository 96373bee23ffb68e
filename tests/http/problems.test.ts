import { expect } from 'vitest';
import { test } from '../support/app.ts';

test('what Fastify refuses is a problem too', async ({ api }) => {
  const { keys } = await api.tenant('vision');
  const authorization = `Bearer ${keys.member}`;
  const post = (payload: string, type: string) =>
    api.app.inject({ method: 'POST', url: '/v1/jobs', payload, headers: { authorization, 'content-type': type } });
  const answers = [
    await post('{"name":', 'application/json'),
    await post('', 'application/json'),
    await post('name: x', 'application/yaml'),
    await post(JSON.stringify({ name: 'a', command: 'x'.repeat(5_000_000) }), 'application/json'),
    await api.ask(keys.member, 'GET /v1/nowhere?secret=1'),
    await api.app.inject({ method: 'GET', url: '/v1/jobs/%zz', headers: { authorization } }),
  ];
  expect(answers.map((answer) => [answer.statusCode, answer.json().type, answer.headers['content-type']])).toEqual(
    [
      [400, 'invalid'],
      [400, 'invalid'],
      [415, 'unsupported-media-type'],
      [413, 'too-large'],
      [404, 'not-found'],
      [400, 'invalid'],
    ].map(([status, code]) => [status, `http://weir.test/problems/${code}`, 'application/problem+json']),
  );
  expect(answers[4]?.json()).toMatchObject({ instance: '/v1/nowhere', title: 'There is no such thing', status: 404 });
});
