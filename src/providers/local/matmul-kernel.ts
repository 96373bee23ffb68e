/**
 * A WebAssembly module with the inner loop of a fp32 matrix product, as a tuned library has it: a tile of the result is held in
 * vector registers while both factors are read along. Assembled here, since it is thirty instructions.
 *
 * It exports its memory, and `tile(left, right, result, depth)`: the byte offsets of a panel of 6 rows, a panel of 8 columns
 * (both packed step by step) and of the tile, and the steps to go.
 */
export const tileRows = 6;
export const tileColumns = 8;

const lanes = 4;
const vectors = tileColumns / lanes;
const bytesOfFloat = 4;
const bytesOfVector = lanes * bytesOfFloat;
const pagesOfMemory = 16;

const type = { i32: 0x7f, v128: 0x7b, function: 0x60 } as const;
const sections = { type: 1, function: 3, memory: 5, export: 7, code: 10 } as const;
const exported = { function: 0, memory: 2 } as const;
const empty = 0x40;

/** LEB128 of what is not negative: where it is read as unsigned, and as signed. */
const int = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...int(value >> 7)]);
const signed = (value: number): number[] => (value < 64 ? [value] : [(value & 127) | 128, ...signed(value >> 7)]);

const sized = (bytes: readonly number[]): number[] => [...int(bytes.length), ...bytes];
const named = (name: string): number[] => sized([...new TextEncoder().encode(name)]);

const op = {
  loop: [0x03, empty],
  branchIf: [0x0d, 0],
  end: [0x0b],
  get: (local: number) => [0x20, ...int(local)],
  set: (local: number) => [0x21, ...int(local)],
  tee: (local: number) => [0x22, ...int(local)],
  constant: (value: number) => [0x41, ...signed(value)],
  add: [0x6a],
  subtract: [0x6b],
  load: (offset: number) => vector(0, 4, offset),
  loadToAllLanes: (offset: number) => vector(9, 2, offset),
  store: (offset: number) => vector(11, 4, offset),
  /** Relaxed SIMD: one fused instruction where the processor has it. */
  multiplyAdd: [0xfd, ...int(0x105)],
};

function vector(code: number, log2Alignment: number, offset: number): number[] {
  return [0xfd, ...int(code), log2Alignment, ...int(offset)];
}

const [left, right, result, depth] = [0, 1, 2, 3];
const firstSum = 4;
const firstRead = firstSum + tileRows * vectors;
const spread = firstRead + vectors;
const locals = spread + 1 - firstSum;

const each = (count: number, code: (at: number) => number[]): number[] =>
  Array.from({ length: count }, (_, at) => code(at)).flat();
const sum = (row: number, at: number): number => firstSum + row * vectors + at;
const advance = (local: number, bytes: number): number[] => [
  ...op.get(local),
  ...op.constant(bytes),
  ...op.add,
  ...op.set(local),
];

const tile = [
  ...op.loop,
  ...each(vectors, (at) => [...op.get(right), ...op.load(at * bytesOfVector), ...op.set(firstRead + at)]),
  ...each(tileRows, (row) => [
    ...op.get(left),
    ...op.loadToAllLanes(row * bytesOfFloat),
    ...op.set(spread),
    ...each(vectors, (at) => [
      ...op.get(spread),
      ...op.get(firstRead + at),
      ...op.get(sum(row, at)),
      ...op.multiplyAdd,
      ...op.set(sum(row, at)),
    ]),
  ]),
  ...advance(left, tileRows * bytesOfFloat),
  ...advance(right, tileColumns * bytesOfFloat),
  ...op.get(depth),
  ...op.constant(1),
  ...op.subtract,
  ...op.tee(depth),
  ...op.branchIf,
  ...op.end,
  ...each(tileRows, (row) =>
    each(vectors, (at) => [
      ...op.get(result),
      ...op.get(sum(row, at)),
      ...op.store((row * vectors + at) * bytesOfVector),
    ]),
  ),
  ...op.end,
];

const section = (id: number, ...bytes: number[]): number[] => [id, ...sized(bytes)];

export const kernelModule = new Uint8Array([
  0,
  ...new TextEncoder().encode('asm'),
  1,
  0,
  0,
  0,
  ...section(sections.type, 1, type.function, 4, type.i32, type.i32, type.i32, type.i32, 0),
  ...section(sections.function, 1, 0),
  ...section(sections.memory, 1, 0, pagesOfMemory),
  ...section(sections.export, 2, ...named('tile'), exported.function, 0, ...named('memory'), exported.memory, 0),
  ...section(sections.code, 1, ...sized([1, ...int(locals), type.v128, ...tile])),
]);
