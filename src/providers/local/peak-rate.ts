import { readFileSync } from 'node:fs';

/** Flop of one fp32 multiply-add each cycle, by the widest vectors there are: both units of a core busy. */
const flopPerCycle = [
  { flags: ['avx512f'], flop: 64 },
  { flags: ['avx2', 'fma'], flop: 32 },
  { flags: ['avx'], flop: 16 },
  { flags: ['asimd'], flop: 16 },
] as const;
const flopPerCycleOfOthers = 8;

const assumedMHz = 2000;

/** Peak fp32 rate, in PFLOP/s, of one core as the operating system counts cores, from the text of /proc/cpuinfo. */
export function petaflopsPerCore(cpuinfo: string): number {
  const entry = (name: string) => new RegExp(`^${name}\\s*: (.+)$`, 'm').exec(cpuinfo)?.[1];
  const flags = new Set((entry('flags') ?? entry('Features') ?? '').split(' '));
  const flop = flopPerCycle.find((width) => width.flags.every((flag) => flags.has(flag)))?.flop ?? flopPerCycleOfOthers;

  // Two hyperthreads share the vector units of one core.
  const threads = Number(entry('siblings') ?? 1) / Number(entry('cpu cores') ?? 1);
  return (flop * clockMHz(cpuinfo) * 1e6) / Math.max(1, threads) / 1e15;
}

/** The clock in the name of the model, since the measured one follows the load. */
function clockMHz(cpuinfo: string): number {
  const nominalGHz = /^model name.*@ ([\d.]+)GHz/m.exec(cpuinfo)?.[1];
  if (nominalGHz !== undefined) return Number(nominalGHz) * 1000;
  const measured = [...cpuinfo.matchAll(/^cpu MHz\s*: ([\d.]+)$/gm)].map((match) => Number(match[1]));
  return measured.length === 0 ? assumedMHz : Math.max(...measured);
}

/** Peak fp32 rate of a core of this machine, in PFLOP/s: what a core-second counts in shares. */
export function hostPetaflopsPerCore(): number {
  return petaflopsPerCore(readFileSync('/proc/cpuinfo', 'utf8'));
}
