"""An LSTM in plain JAX, recorded by hand: what any framework needs to be watched.

    pip install jax rnnviz
    python jax_recorder.py

The one trick: add zeros to the states where they leave the layer, and differentiate by them. That gradient is the
*direct* one, which the loss sends straight into each state; from it rnnviz computes what comes back through time.
"""

import jax
import jax.numpy as jnp
import numpy as np

import rnnviz

T, B, N, H = 30, 16, 3, 12  # steps, sequences, inputs, units


def lstm(weights, x):
    """x (T, B, N) -> the states h (T, B, H). The blocks of the weights are i, f, g, o, as in PyTorch."""

    def step(state, x_t):
        h, c = state
        a = x_t @ weights["weight_ih_l0"].T + h @ weights["weight_hh_l0"].T + weights["bias_ih_l0"]
        i, f, g, o = jnp.split(a, 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    start = jnp.zeros((x.shape[1], H)), jnp.zeros((x.shape[1], H))
    return jax.lax.scan(step, start, x)[1]


def loss_of(weights, zeros, x, target):
    states = lstm(weights["lstm"], x) + zeros
    return jnp.mean((states[-1] @ weights["head"] - target) ** 2)


draw = np.random.default_rng(0).standard_normal
weights = {
    "lstm": {
        "weight_ih_l0": draw((4 * H, N)) / H**0.5,
        "weight_hh_l0": draw((4 * H, H)) / H**0.5,
        "bias_ih_l0": np.repeat([0.0, 1.0, 0.0, 0.0], H),
    },
    "head": draw((H, 1)) / H**0.5,
}
weights = jax.tree.map(jnp.float32, weights)
gradients = jax.jit(jax.value_and_grad(loss_of, argnums=(0, 1)))

with rnnviz.Recorder("runs/jax", about={"framework": f"JAX {jax.__version__}"}) as recorder:
    for step in range(201):
        x = jnp.float32(draw((T, B, N)))
        target = x[-10, :, :1]  # to remember for nine steps
        loss, (grads, direct) = gradients(weights, jnp.zeros((T, B, H)), x, target)
        if step % 20 == 0:
            layer = rnnviz.LayerRecord(cell="lstm", weights=weights["lstm"], grads=grads["lstm"], x=x, direct=direct)
            recorder.add(step=step, loss=loss, layers={"lstm": layer}, extra={"learning_rate": 0.5})
        weights = jax.tree.map(lambda weight, grad: weight - 0.5 * grad, weights, grads)

for record in rnnviz.Recording.open("runs/jax"):
    print(f"step {record.step:3}  loss {record.loss:.3f}  weight gradients as JAX's to {record.agreement('lstm'):.0e}")
print("rnnviz runs/jax")
