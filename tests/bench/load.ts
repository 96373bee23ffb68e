import autocannon from 'autocannon';

type Load = { url: string; key: string; body: unknown; connections: number; durationSeconds: number };

/** Posts the same body over and over. @throws where a request is refused or fails: such a rate would mean nothing. */
export async function load({ url, key, body, connections, durationSeconds }: Load) {
  const result = await autocannon({
    url,
    method: 'POST',
    connections,
    duration: durationSeconds,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${result.non2xx} refusals and ${result.errors} errors at ${url}`);
  return { perSecond: result.requests.average, p99Ms: result.latency.p99 };
}

export type Rate = Awaited<ReturnType<typeof load>>;
