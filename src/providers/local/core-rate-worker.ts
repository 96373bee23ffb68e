import { parentPort } from 'node:worker_threads';
import { kernelModule, tileColumns, tileRows } from './matmul-kernel.ts';

type Kernel = {
  memory: WebAssembly.Memory;
  tile: (left: number, right: number, result: number, depth: number) => void;
};

/** Panels of this many tiles and steps stay in a core's second-level cache, as the blocks of a tuned product do. */
const tiles = 16;
const depth = 256;
const bytesOfFloat = 4;
const flopOfProduct = 2 * (tiles * tileRows) * (tiles * tileColumns) * depth;

/** Short enough that among so many rounds some are not interrupted, however busy the machine is. */
const rounds = 40;
const roundMs = 3;

/** Tells the rate of one core in GFLOP/s whenever a round was faster than all before: what else runs here only ever takes away. */
function measure({ memory, tile }: Kernel, tell: (rate: number) => void): void {
  const leftBytes = tileRows * depth * bytesOfFloat;
  const rightBytes = tileColumns * depth * bytesOfFloat;
  const right = tiles * leftBytes;
  const result = right + tiles * rightBytes;
  // Never zero or subnormal, which some processors take longer for.
  new Float32Array(memory.buffer, 0, result / bytesOfFloat).fill(0.5);
  const product = (): void => {
    for (let row = 0; row < tiles; row++)
      for (let column = 0; column < tiles; column++) tile(row * leftBytes, right + column * rightBytes, result, depth);
  };
  let best = 0;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    let products = 0;
    let elapsedMs = 0;
    while (elapsedMs < roundMs) {
      product();
      products++;
      elapsedMs = performance.now() - start;
    }
    const rate = (products * flopOfProduct) / elapsedMs / 1e6;
    if (rate > best) tell(rate);
    best = Math.max(best, rate);
  }
}

const { instance } = await WebAssembly.instantiate(kernelModule);
measure(instance.exports as Kernel, (rate) => parentPort?.postMessage(rate));
