import { createInterface } from 'node:readline';
import { startWeirCloud } from './weir-cloud.ts';

/**
 * The emulated Google Cloud as a process of its own, for `npm run quickstart -- --cloud`. Prints what weir's configuration
 * needs as one line of JSON; then each line that it reads is a request, answered by one line: `evict <instance>` takes a spot
 * machine back, `seconds <instance>` asks how long it ran. Ends with its input.
 */
const cloud = await startWeirCloud();
const say = (answer: unknown) => process.stdout.write(`${JSON.stringify(answer)}\n`);
say({ gcp: cloud.providers.gcp, programs: cloud.programs, hostAddress: cloud.hostAddress });

for await (const line of createInterface({ input: process.stdin })) {
  const [request, name = ''] = line.split(' ');
  if (request === 'evict') say(await cloud.evict(name).then(() => 'evicted'));
  else if (request === 'seconds') say(cloud.runningSeconds(name));
  else say(`There is no request ${request}.`);
}
await cloud.close();
