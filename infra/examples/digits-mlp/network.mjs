/**
 * A network of one hidden layer: ReLU, then softmax with cross-entropy, trained by Adam. Everything is a flat
 * Float32Array; every sum is taken in the same order, so that the same steps give the same bits.
 */
const inputs = 784;
const hidden = 64;
const outputs = 10;

const adam = { learningRate: 0.002, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

const shapes = { w1: hidden * inputs, b1: hidden, w2: outputs * hidden, b2: outputs };

/** Multiplications and additions of one example: the forward pass, and twice as much for the backward pass. */
export const flopsPerExample = 3 * 2 * (shapes.w1 + shapes.w2);
export const parameterCount = Object.values(shapes).reduce((sum, size) => sum + size, 0);

const zeros = () => Object.fromEntries(Object.entries(shapes).map(([name, size]) => [name, new Float32Array(size)]));

/** All that a training step reads and changes: a checkpoint holds just this. */
export function createNetwork(random) {
  const weights = zeros();
  const spread = (array, fanIn) => array.forEach((_, i) => (array[i] = (random() * 2 - 1) * Math.sqrt(6 / fanIn)));
  spread(weights.w1, inputs);
  spread(weights.w2, hidden);
  return { weights, momentum: zeros(), variance: zeros(), steps: 0 };
}

/** One step of Adam over the digits that `batch` names. Answers the sum of their losses. */
export function trainBatch(network, digits, batch) {
  const gradients = zeros();
  let loss = 0;
  for (const index of batch) {
    const pixels = digits.pixels.subarray(index * inputs, (index + 1) * inputs);
    const { activations, probabilities } = forward(network.weights, pixels);
    const label = digits.labels[index];
    loss -= Math.log(Math.max(probabilities[label], 1e-12));
    probabilities[label] -= 1;
    backward(network.weights, gradients, { pixels, activations, outputErrors: probabilities });
  }
  network.steps += 1;
  for (const name of Object.keys(shapes)) update(network, name, gradients[name], batch.length);
  return loss;
}

/** The share of digits whose most likely label is the right one. */
export function accuracy(network, digits) {
  let right = 0;
  for (let i = 0; i < digits.count; i++) {
    const { probabilities } = forward(network.weights, digits.pixels.subarray(i * inputs, (i + 1) * inputs));
    if (probabilities.indexOf(Math.max(...probabilities)) === digits.labels[i]) right += 1;
  }
  return right / digits.count;
}

function forward({ w1, b1, w2, b2 }, pixels) {
  const activations = new Float32Array(hidden);
  for (let h = 0; h < hidden; h++) {
    let sum = b1[h];
    const row = h * inputs;
    for (let p = 0; p < inputs; p++) sum += w1[row + p] * pixels[p];
    activations[h] = Math.max(0, sum);
  }
  const logits = new Float32Array(outputs);
  for (let o = 0; o < outputs; o++) {
    let sum = b2[o];
    for (let h = 0; h < hidden; h++) sum += w2[o * hidden + h] * activations[h];
    logits[o] = sum;
  }
  return { activations, probabilities: softmax(logits) };
}

function softmax(logits) {
  const largest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - largest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

function backward({ w2 }, gradients, { pixels, activations, outputErrors }) {
  for (let o = 0; o < outputs; o++) {
    gradients.b2[o] += outputErrors[o];
    for (let h = 0; h < hidden; h++) gradients.w2[o * hidden + h] += outputErrors[o] * activations[h];
  }
  for (let h = 0; h < hidden; h++) {
    if (activations[h] === 0) continue;
    let error = 0;
    for (let o = 0; o < outputs; o++) error += w2[o * hidden + h] * outputErrors[o];
    gradients.b1[h] += error;
    const row = h * inputs;
    for (let p = 0; p < inputs; p++) gradients.w1[row + p] += error * pixels[p];
  }
}

function update({ weights, momentum, variance, steps }, name, gradient, batchSize) {
  const { learningRate, beta1, beta2, epsilon } = adam;
  const [w, m, v] = [weights[name], momentum[name], variance[name]];
  const rate = (learningRate * Math.sqrt(1 - beta2 ** steps)) / (1 - beta1 ** steps);
  for (let i = 0; i < w.length; i++) {
    const g = gradient[i] / batchSize;
    m[i] = beta1 * m[i] + (1 - beta1) * g;
    v[i] = beta2 * v[i] + (1 - beta2) * g * g;
    w[i] -= (rate * m[i]) / (Math.sqrt(v[i]) + epsilon);
  }
}

/** The weights in a form that any language reads: little-endian float32 in base64, one row for each unit. */
export function toModel({ weights }, labels) {
  const base64 = (array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString('base64');
  return {
    labels,
    layers: [
      { inputs, outputs: hidden, activation: 'relu', weights: base64(weights.w1), biases: base64(weights.b1) },
      { inputs: hidden, outputs, activation: 'softmax', weights: base64(weights.w2), biases: base64(weights.b2) },
    ],
  };
}
