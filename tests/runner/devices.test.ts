import { expect, test } from 'vitest';
import { nvidiaDevices, readMinor } from '../../src/runner/devices.ts';

const names = [
  'nvidia0',
  'nvidia1',
  'nvidia10',
  'nvidiactl',
  'nvidia-uvm',
  'nvidia-caps',
  'nvidia-nvswitch0',
  'dri',
  'kfd',
];

test('a job has the device of each of its GPUs and those that all GPUs share', () => {
  expect(nvidiaDevices([1], names, [0, 1])).toEqual([
    '/dev/nvidia1',
    '/dev/nvidiactl',
    '/dev/nvidia-uvm',
    '/dev/nvidia-caps',
  ]);
  // The third of the bus may well be the kernel's tenth.
  expect(nvidiaDevices([2], names, [1, 0, 10])[0]).toBe('/dev/nvidia10');
});

test('a job without GPUs has none of their devices', () => {
  expect(nvidiaDevices([], names, [0, 1])).toEqual([]);
});

test('the minor number is read from the driver’s table', () => {
  expect(readMinor('Model: \t\t NVIDIA H100\nDevice Minor: \t 3\nGPU Excluded:\t No\n')).toBe(3);
  expect(readMinor('Model: \t\t NVIDIA H100\n')).toBe(undefined);
});
