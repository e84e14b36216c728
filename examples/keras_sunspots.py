"""A series like the sunspots' in Keras: a Bidirectional GRU and an LSTM on it, on windows of many lengths, watched.

pip install keras torch rnnviz          # or jax, or tensorflow, instead of torch
KERAS_BACKEND=torch python keras_sunspots.py
"""

import keras
import numpy as np
from keras import layers

import rnnviz

# a cycle of about eleven years whose height and length change from cycle to cycle, never below 0
draw = np.random.default_rng(1)
phase = np.cumsum(2 * np.pi / draw.normal(11, 1.2, 200).clip(8, 14))
height = 80 + 40 * np.sin(2 * np.pi * np.arange(200) / 88)
series = np.maximum(0, height * (1 - np.cos(phase)) / 2 + draw.normal(0, 6, 200))

# standardised with the first 180 years; 22 years in, the next one out
series = (series - series[:180].mean()) / series[:180].std()
windows = np.stack([series[i : i + 23] for i in range(160)])[..., None]
x, y = windows[:, :-1], windows[:, -1]

# some windows are shorter: their last years are masked
lengths = draw.integers(15, 23, len(x))
for years, length in zip(x, lengths, strict=True):
    years[length:] = -9

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        layers.Input((22, 1)),
        layers.Masking(-9),
        layers.Bidirectional(layers.GRU(12, return_sequences=True), name="both_ways"),
        layers.LSTM(12, name="summary", dropout=0.1),
        layers.Dense(1),
    ]
)
model.compile(keras.optimizers.Adam(0.005), "mse")

# four windows, every second epoch; both layers are recorded, each under its name
watch = rnnviz.keras.Watch("runs/keras-sunspots", x[:4], y[:4], every=2)
model.fit(x, y, batch_size=40, epochs=6, validation_split=0.1, verbose=0, callbacks=[watch])

last = rnnviz.Recording.open("runs/keras-sunspots")[-1]
for name in last.layers:
    norms = last.trace(name).grad_norm()
    print(f"{name:9}  |dL/dh| at the first step {norms[1]:.1e}, at the last {norms[-1]:.1e}")
print("rnnviz runs/keras-sunspots")
