"""A cell of the learner's own: its exact gradients come from its own step."""

from __future__ import annotations

from rnnviz.workshop.exercise import Exercise, Quantity

YOUR_CELL = Exercise(
    "10_your_cell",
    "a cell of your own",
    "backward_step",
    (
        Quantity("grad_h_before", "∂L/∂hₜ₋₁"), Quantity("grad_x", "∂L/∂xₜ"), Quantity("grad_params", "∂L/∂params"),
    ),
    (),
    None,
    (),
    (
        "Begin with a step that you know: return np.tanh(params[\"W_ih\"] @ x_t + params[\"W_hh\"] @ h_before + "
        "params[\"b\"]). Then change something.",
        "Every way from an input to h has its own part in the gradient, and the parts add up. In the leaky unit, h_before "
        "acts directly (0.9) and through tanh.",
        "Leaky unit: grad_a = 0.1 * (1 - np.tanh(a) ** 2) * grad_h; grad_h_before = 0.9 * grad_h + "
        "params[\"W_hh\"].T @ grad_a; grad_x = params[\"W_ih\"].T @ grad_a; grad_params = {\"W_ih\": np.outer(grad_a, x_t), "
        "\"W_hh\": np.outer(grad_a, h_before), \"b\": grad_a}.",
    ),
    "You have written a recurrent cell and its backward pass, and checked them as the cells of rnnviz are checked. "
    "rnnviz --cell 10_your_cell.py trains it in the app.",
)  # fmt: skip
