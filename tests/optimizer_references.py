"""Optimizers in float64 NumPy, written from the papers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

Arrays = dict[str, np.ndarray]


@dataclass
class Momentum:
    """SGD by the documentation of PyTorch."""

    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0
    velocity: Arrays = field(default_factory=dict)

    def __call__(self, name: str, w: np.ndarray, g: np.ndarray, rate: float) -> np.ndarray:
        g = g + self.weight_decay * w
        v = self.momentum * self.velocity.get(name, 0.0) + g
        self.velocity[name] = v
        return w - rate * (g + self.momentum * v if self.nesterov else v)


@dataclass
class Moments:
    """Adam by Kingma & Ba, algorithm 1; AdamW by Loshchilov & Hutter, algorithm 2.

    As in PyTorch, the decoupled weight decay is multiplied by the learning rate.
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    decoupled: bool = False
    m: Arrays = field(default_factory=dict)
    v: Arrays = field(default_factory=dict)
    t: dict[str, int] = field(default_factory=dict)

    def __call__(self, name: str, w: np.ndarray, g: np.ndarray, rate: float) -> np.ndarray:
        decay = self.weight_decay * w
        if not self.decoupled:
            g = g + decay
        self.t[name] = t = self.t.get(name, 0) + 1
        self.m[name] = m = self.beta_1 * self.m.get(name, 0.0) + (1 - self.beta_1) * g
        self.v[name] = v = self.beta_2 * self.v.get(name, 0.0) + (1 - self.beta_2) * g**2
        m, v = m / (1 - self.beta_1**t), v / (1 - self.beta_2**t)
        step = m / (np.sqrt(v) + self.epsilon)
        return w - rate * (step + decay if self.decoupled else step)


@dataclass
class Squares:
    """RMSprop by the documentation of PyTorch."""

    decay: float = 0.9
    momentum: float = 0.0
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    squares: Arrays = field(default_factory=dict)
    velocity: Arrays = field(default_factory=dict)

    def __call__(self, name: str, w: np.ndarray, g: np.ndarray, rate: float) -> np.ndarray:
        g = g + self.weight_decay * w
        s = self.decay * self.squares.get(name, 0.0) + (1 - self.decay) * g**2
        v = self.momentum * self.velocity.get(name, 0.0) + g / (np.sqrt(s) + self.epsilon)
        self.squares[name], self.velocity[name] = s, v
        return w - rate * v


Reference = Callable[[], Momentum | Moments | Squares]
"""Constructor of a reference with the settings of an optimizer."""
