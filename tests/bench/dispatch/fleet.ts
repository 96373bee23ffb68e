import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { newToken } from '../../../src/core/tokens.ts';
import type { Directive } from '../../../src/protocol/runner.ts';
import { createBroker } from '../../../src/runner/broker.ts';
import type { FleetMessage } from './fleet-messages.ts';

/** In the environment of a job: how long it lasts, in milliseconds. */
export const runtimeVariable = 'RUNTIME_MS';

const host = { hostname: 'emulated', cpus: 1, memoryBytes: 2 ** 30, gpus: [] };

/**
 * Machines that run nothing: each claims its attempt, sends heartbeats for as long as its job's environment says, and reports, in
 * the real runner's own words over HTTP. One that is taken away says nothing more.
 */
export function emulateMachines(service: ChildProcess): void {
  const machines = new Map<string, AbortController>();
  service.on('message', (message: FleetMessage) => {
    if (message.say === 'ready') return;
    if (message.say === 'destroy') {
      machines.get(message.name)?.abort();
      machines.delete(message.name);
      return;
    }
    const { request } = message;
    const end = new AbortController();
    machines.set(request.name, end);
    run(request, end.signal).catch((error: unknown) => {
      // Taken away, or told that its attempt is over.
      if (!end.signal.aborted) process.stderr.write(`${request.name}: ${String(error)}\n`);
    });
  });
}

type Request = Extract<FleetMessage, { say: 'create' }>['request'];

async function run({ brokerUrl, bootstrapToken }: Request, taken: AbortSignal): Promise<void> {
  const token = newToken();
  const broker = createBroker(brokerUrl, token, taken);
  const { attempt, spec, heartbeatSeconds } = await broker.claim({
    bootstrapToken,
    token,
    address: '127.0.0.1',
    port: 1,
    host,
  });
  const endsAt = performance.now() + Number(spec.env?.[runtimeVariable]);
  const isStopped = ({ directive }: Directive) => directive === 'stop';
  let stopped = isStopped(await broker.heartbeat({ attempt, stage: 'running' }));
  while (!stopped && performance.now() < endsAt) {
    const restMs = Math.min(heartbeatSeconds * 1000, endsAt - performance.now());
    await sleep(restMs, undefined, { signal: taken });
    if (performance.now() < endsAt) stopped = isStopped(await broker.heartbeat({ attempt, stage: 'running' }));
  }
  const reason = stopped ? 'stopped' : 'completed';
  await broker.report({ attempt, reason, message: `The job has ${reason}.`, exitCode: stopped ? null : 0, lines: 0 });
}
