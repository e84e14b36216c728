import numpy as np


def parameters(I, H, rng):
    return {
        "W_ih": rng.normal(size=(H, I)) / np.sqrt(I),
        "W_hh": rng.normal(size=(H, H)) / np.sqrt(H),
        "b": rng.normal(size=H),
    }


def step(params, h_before, x_t):
    a = params["W_ih"] @ x_t + params["W_hh"] @ h_before + params["b"]
    return 0.9 * h_before + 0.1 * np.tanh(a)


def backward_step(params, h_before, x_t, grad_h):
    a = params["W_ih"] @ x_t + params["W_hh"] @ h_before + params["b"]
    grad_a = 0.1 * (1 - np.tanh(a) ** 2) * grad_h
    grad_h_before = 0.9 * grad_h + params["W_hh"].T @ grad_a
    grad_x = params["W_ih"].T @ grad_a
    grad_params = {"W_ih": np.outer(grad_a, x_t), "W_hh": np.outer(grad_a, h_before), "b": grad_a}
    return grad_h_before, grad_x, grad_params
