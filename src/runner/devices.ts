import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { JobSpec } from '../protocol/job-spec.ts';

const driverDirectory = '/proc/driver/nvidia/gpus';
const sharedByGpus = /^nvidia(ctl|-uvm|-uvm-tools|-modeset|-caps.*)$/;

/** Cloud TPU's own names of its slices begin so. */
export function isForTpu({ resources }: JobSpec): boolean {
  return /^v\d/.test(resources?.accelerators ?? '');
}

/** What `nvidia-smi` numbers in the order of the PCI bus, the kernel names by a minor number of its own. */
export function nvidiaDevices(gpus: number[], names = readdirSync('/dev'), minors = gpuMinors()): string[] {
  if (gpus.length === 0) return [];
  const own = gpus.map((index) => `nvidia${minors[index] ?? index}`);
  return names.filter((name) => own.includes(name) || sharedByGpus.test(name)).map((name) => `/dev/${name}`);
}

/** A TPU's host has no other jobs: all its chips. */
export function tpuDevices(): string[] {
  return readdirSync('/dev')
    .filter((name) => /^(accel|vfio$)/.test(name))
    .map((name) => `/dev/${name}`);
}

function gpuMinors(): (number | undefined)[] {
  if (!existsSync(driverDirectory)) return [];
  return readdirSync(driverDirectory)
    .toSorted()
    .map((name) => readMinor(readFileSync(`${driverDirectory}/${name}/information`, 'utf8')));
}

/** Of the driver's table of one GPU. */
export function readMinor(information: string): number | undefined {
  const minor = /^Device Minor:\s+([0-9]+)\s*$/m.exec(information)?.[1];
  return minor === undefined ? undefined : Number(minor);
}
