"""Trains a 784-64-10 network on handwritten digits with TensorFlow, under tf.distribute.MirroredStrategy.

    python train.py [--epochs 5] [--batch 64] [--data digits.bin.gz]

Each GPU is a replica; where there is none, two logical devices of the CPU are. Writes out/metrics.json and
out/model.keras, and after every epoch a checkpoint in ckpt/, from which it goes on when it is started again.
"""

import argparse
import gzip
import json
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf

PIXELS = 28 * 28
HELD_OUT = 1000
SEED = 1


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch", type=int, default=64, help="over all replicas")
    parser.add_argument("--data", type=Path, default=Path(__file__).parent / "digits.bin.gz")
    return parser.parse_args()


def read_digits(path: Path):
    """For each digit one byte of label, then 28×28 bytes of grey; the last 1,000 are held out."""
    records = np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8).reshape(-1, 1 + PIXELS)
    pixels = records[:, 1:].astype(np.float32) / 255
    labels = records[:, 0].astype(np.int64)
    return (pixels[:-HELD_OUT], labels[:-HELD_OUT]), (pixels[-HELD_OUT:], labels[-HELD_OUT:])


def make_strategy() -> tf.distribute.MirroredStrategy:
    if tf.config.list_physical_devices("GPU"):
        return tf.distribute.MirroredStrategy()
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def make_model() -> tf.keras.Model:
    model = tf.keras.Sequential(
        [
            tf.keras.layers.Input((PIXELS,)),
            tf.keras.layers.Dense(64, activation="relu"),
            tf.keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=tf.keras.optimizers.Adam(0.002),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


class ProgressLines(tf.keras.callbacks.Callback):
    """Prints `weir progress done/total examples`, from which weir tells when the job will be done."""

    def __init__(self, examples: int, batch: int, total: int):
        super().__init__()
        self.examples, self.batch, self.total = examples, batch, total
        self.first, self.printed_at = 0, 0.0

    def on_epoch_begin(self, epoch, logs=None):
        self.first = epoch * self.examples

    def on_train_batch_end(self, batch, logs=None):
        done = min((batch + 1) * self.batch, self.examples)
        if done == self.examples or time.monotonic() - self.printed_at >= 1:
            print(f"weir progress {self.first + done}/{self.total} examples", flush=True)
            self.printed_at = time.monotonic()


def main() -> None:
    options = read_options()
    train, held_out = read_digits(options.data)
    examples = len(train[1])
    tf.keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    strategy = make_strategy()
    print(f"{examples} digits to train on, {HELD_OUT} held out; {strategy.num_replicas_in_sync} replicas", flush=True)
    with strategy.scope():
        model = make_model()

    history = tf.Variable("[]")  # in the checkpoint, since a new machine finds nothing of out/
    checkpoint = tf.train.Checkpoint(model=model, optimizer=model.optimizer, history=history)
    manager = tf.train.CheckpointManager(checkpoint, "ckpt", max_to_keep=1)
    if manager.restore_or_initialize():
        print(f"resumed from {manager.latest_checkpoint}", flush=True)
    metrics = json.loads(history.numpy())
    progress = ProgressLines(examples, options.batch, examples * options.epochs)

    for epoch in range(len(metrics), options.epochs):
        started_at = time.monotonic()
        data = tf.data.Dataset.from_tensor_slices(train).shuffle(examples, seed=epoch).batch(options.batch)
        fitted = model.fit(data, initial_epoch=epoch, epochs=epoch + 1, shuffle=False, callbacks=[progress], verbose=0)
        _, accuracy = model.evaluate(*held_out, batch_size=500, verbose=0)
        metrics.append({"epoch": epoch + 1, "loss": fitted.history["loss"][0], "heldOutAccuracy": accuracy})
        history.assign(json.dumps(metrics))
        manager.save()
        seconds = time.monotonic() - started_at
        print(
            f"epoch {epoch + 1}/{options.epochs}: loss {metrics[-1]['loss']:.4f}, "
            f"{accuracy:.1%} of held-out digits right, {seconds:.1f} s",
            flush=True,
        )

    out = Path("out")
    out.mkdir(exist_ok=True)
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    model.save(out / "model.keras")
    print("the model is in out/model.keras")


if __name__ == "__main__":
    main()
