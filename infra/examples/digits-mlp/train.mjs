/**
 * Trains a 784-64-10 network on handwritten digits:
 *
 *   node train.mjs [--epochs 10] [--batch 32] [--data digits.bin.gz]
 *
 * Writes out/metrics.json and out/model.json, and after every epoch ckpt/checkpoint. Started again in the same directory
 * it goes on from the checkpoint, and ends with the very weights that a run without interruption ends with.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setImmediate as letSignalsIn } from 'node:timers/promises';
import { deserialize, serialize } from 'node:v8';
import { readDigits } from './digits.mjs';
import { accuracy, createNetwork, toModel, trainBatch } from './network.mjs';
import { createRandom, shuffled } from './random.mjs';

const checkpointPath = 'ckpt/checkpoint';
const seed = 1;
const examplesPerProgressLine = 1000;

const print = (line) => process.stdout.write(`${line}\n`);

function readOptions() {
  const { values } = parseArgs({
    options: {
      epochs: { type: 'string', default: '10' },
      batch: { type: 'string', default: '32' },
      data: { type: 'string', default: join(import.meta.dirname, 'digits.bin.gz') },
    },
  });
  const count = (name) => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < 1)
      throw new Error(`--${name} is "${values[name]}"; it must be a whole number from 1.`);
    return value;
  };
  return { epochs: count('epochs'), batch: count('batch'), data: values.data };
}

/** Where a new run stands. `epochRandom` is the generator's state at the start of the epoch, from which its order follows. */
function startRun(batch) {
  const generator = createRandom(seed);
  const network = createNetwork(generator.random);
  return { batch, epoch: 0, done: 0, lossSum: 0, epochRandom: generator.state(), history: [], network };
}

function resumeRun(batch) {
  if (!existsSync(checkpointPath)) return startRun(batch);
  const run = deserialize(readFileSync(checkpointPath));
  if (run.batch !== batch)
    throw new Error(`${checkpointPath} was made with --batch ${run.batch}: go on with it, or remove ckpt/.`);
  print(`resumed from ${checkpointPath} at epoch ${run.epoch + 1}, example ${run.done}`);
  return run;
}

/** Renamed into place, so that whoever reads the file, at whatever moment, reads a whole one. */
function writeWhole(path, content) {
  const partial = `.${path.replaceAll('/', '-')}.partial`;
  writeFileSync(partial, content, { flush: true });
  renameSync(partial, path);
}

const saveCheckpoint = (run) => writeWhole(checkpointPath, serialize(run));
const saveMetrics = (run) => writeWhole('out/metrics.json', `${JSON.stringify(run.history, undefined, 2)}\n`);

function printProgress(run, trainCount, epochs) {
  print(`weir progress ${run.epoch * trainCount + run.done}/${trainCount * epochs} examples`);
}

/** Trains to the end of the epoch, or until it shall stop; answers the random state that the next epoch starts from. */
async function trainEpoch(run, train, { epochs, mustStop }) {
  const generator = createRandom(run.epochRandom);
  const order = shuffled(train.count, generator.random);
  while (run.done < train.count && !mustStop()) {
    const batch = order.subarray(run.done, run.done + run.batch);
    run.lossSum += trainBatch(run.network, train, batch);
    const before = run.done;
    run.done += batch.length;
    if (Math.floor(before / examplesPerProgressLine) < Math.floor(run.done / examplesPerProgressLine))
      printProgress(run, train.count, epochs);
    await letSignalsIn();
  }
  return generator.state();
}

function closeEpoch(run, { train, heldOut }, nextRandom) {
  const metrics = {
    epoch: run.epoch + 1,
    loss: run.lossSum / train.count,
    heldOutAccuracy: accuracy(run.network, heldOut),
  };
  run.history.push(metrics);
  Object.assign(run, { epoch: metrics.epoch, done: 0, lossSum: 0, epochRandom: nextRandom });
  return metrics;
}

async function main() {
  const { epochs, batch, data } = readOptions();
  const digits = readDigits(data);
  mkdirSync('out', { recursive: true });
  mkdirSync('ckpt', { recursive: true });
  let isStopping = false;
  process.on('SIGTERM', () => (isStopping = true));

  print(`${digits.train.count} digits to train on, ${digits.heldOut.count} held out`);
  const run = resumeRun(batch);
  while (run.epoch < epochs) {
    const startedAt = performance.now();
    const nextRandom = await trainEpoch(run, digits.train, { epochs, mustStop: () => isStopping });
    if (run.done < digits.train.count) {
      saveCheckpoint(run);
      print(`stopped by SIGTERM at epoch ${run.epoch + 1}, example ${run.done}; ${checkpointPath} is written`);
      return 128 + 15;
    }
    const { epoch, loss, heldOutAccuracy } = closeEpoch(run, digits, nextRandom);
    saveCheckpoint(run);
    saveMetrics(run);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    print(
      `epoch ${epoch}/${epochs}: loss ${loss.toFixed(4)}, ${(heldOutAccuracy * 100).toFixed(1)} % of held-out digits right, ${seconds} s`,
    );
  }
  saveMetrics(run);
  writeWhole('out/model.json', JSON.stringify(toModel(run.network, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])));
  print('the model is in out/model.json');
  return 0;
}

process.exitCode = await main();
