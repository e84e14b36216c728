"""A lesson with nothing wrong, which the tests write, change and break."""

LESSON = """\
+++
title = "Half is gone"
summary = "How fast a gradient fades."
sources = ["Bengio, Simard and Frasconi 1994"]

[experiment]
seq_len = 20
loss_at = "last"
gain = 0.7
+++

## The end of the sequence

The network has read {T} steps. Its loss is {loss:.3f}.

```toml
[do]
phase = "loss"

[point]
at = "output"
```

## How far back?

On the way back each step keeps a share of the gradient.

```toml
[predict]
question = "After how many steps is half of it gone?"
answer = "half_life"
tolerance = 1
unit = "steps"

[reveal]
phase = "backward"
seek = 0
```

A step keeps {mean_factor:.2f} of it, so half is gone after {half_life:.1f} steps.

## Larger weights

We raise the gain to 1.

```toml
[predict]
question = "What happens to the share that reaches step 1?"
choices = [
  { say = "it shrinks", if = "grad_ratio < start.grad_ratio", why = "The weights have grown." },
  { say = "it grows", if = "grad_ratio >= start.grad_ratio" },
]

[reveal]
settings = { gain = 1.0 }
```

It was {start.grad_ratio:.1e}, it is {grad_ratio:.1e}.

## Your turn

Only {grad_ratio:.1e} of the gradient arrives.

```toml
[do]
settings = { gain = 0.7 }

[exercise]
goal = "Make it at least 0.01."
solved = ["grad_ratio >= 0.01"]
locked = ["seq_len", "loss_at"]
hints = ["Which setting multiplies the recurrent weights?"]

[[exercise.solution]]
settings = { gain = 1.2 }
```

Now it is {grad_ratio:.1e}.
"""
