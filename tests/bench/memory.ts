import { setTimeout as sleep } from 'node:timers/promises';
import { spawn } from 'node:child_process';
import { createInstallation } from '../support/service.ts';
import { residentMiB } from './processes.ts';
import { finish } from './summary.ts';

/** What the service holds at rest, without PostgreSQL; beside it a Node process that does nothing. */
const restMs = 10_000;

const installation = await createInstallation({ timing: { sweepSeconds: 2, heartbeatSeconds: 1 } });
const service = await installation.start();
const idle = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
// The measurement is of the state after a rest, so it rests.
await sleep(restMs);
const weirMiB = await residentMiB(service.pid);
const nodeMiB = await residentMiB(idle.pid ?? 0);
idle.kill();
await installation.remove();
finish({ summary: { weirMiB, nodeMiB, ratio: weirMiB / nodeMiB } });
