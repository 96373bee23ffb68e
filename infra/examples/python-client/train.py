"""Fits a line to 1,000 points by gradient descent. It needs nothing but Python."""

import time
from pathlib import Path

EPOCHS = 20
points = [(x / 1000, 3 * x / 1000 + 1) for x in range(1000)]
slope = offset = 0.0
curve = ["epoch,loss"]
for epoch in range(1, EPOCHS + 1):
    errors = [(x, slope * x + offset - y) for x, y in points]
    slope -= sum(error * x for x, error in errors) / len(errors)
    offset -= sum(error for _, error in errors) / len(errors)
    loss = sum(error**2 for _, error in errors) / len(errors)
    curve.append(f"{epoch},{loss:.6f}")
    print(f"epoch {epoch} loss {loss:.6f}", flush=True)
    print(f"weir progress {epoch}/{EPOCHS} epochs", flush=True)
    time.sleep(0.05)  # A larger network would take so long.

Path("out").mkdir(exist_ok=True)
Path("out/loss.csv").write_text("\n".join(curve) + "\n")
