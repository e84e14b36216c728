"""A noisy sine in Keras, watched: the recipe with which many begin, and how far back its gradient reaches.

pip install keras torch rnnviz          # or jax, or tensorflow, instead of torch
KERAS_BACKEND=torch python keras_sine.py
"""

import keras
import numpy as np
from keras import layers

import rnnviz

# the task: ten points of a noisy sine, and the eleventh is to be said after each of them
points = np.sin(np.linspace(-2 * np.pi, 2 * np.pi, 50)) + 0.1 * np.random.default_rng(0).standard_normal(50)
windows = np.stack([points[i : i + 11] for i in range(40)])[..., None]
x, y = windows[:, :-1], windows[:, 1:]

keras.utils.set_random_seed(0)
model = keras.Sequential([layers.Input((10, 1)), layers.SimpleRNN(20, return_sequences=True), layers.Dense(1)])
model.compile(keras.optimizers.SGD(0.01), "mse")

# the one line: after each epoch the gradients of these eight windows are recorded
watch = rnnviz.keras.Watch("runs/keras-sine", x[:8], y[:8])
model.fit(x, y, batch_size=8, epochs=20, validation_split=0.1, verbose=0, callbacks=[watch])

for record in rnnviz.Recording.open("runs/keras-sine")[::5]:
    (name,) = record.layers
    agreement = record.agreement(name)
    print(f"epoch {record.step:2}  loss {record.loss:.3f}  weight gradients as Keras' to {agreement:.0e}")
print("rnnviz runs/keras-sine")
