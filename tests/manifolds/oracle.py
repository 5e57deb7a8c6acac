"""Textbook formulas of constant curvature in mpmath, with digits to spare: what the verbs are measured against.

Points are given as floating-point numbers and taken as exact. On a hyperboloid the first coordinate follows from the
others, and a sphere's points are scaled to its radius.
"""

from mpmath import mp, mpf

mp.dps = 120


def exact(values):
    return [mpf(float(value)) for value in values]


def dot(x, y):
    return mp.fdot(x, y)


def length(x):
    return mp.sqrt(dot(x, x))


def combine(a, x, b, y):
    return [a * p + b * q for p, q in zip(x, y, strict=True)]


class Stereographic:
    def __init__(self, curvature):
        self.k = mpf(curvature)

    def add(self, x, y):
        k, xx, yy, xy = self.k, dot(x, x), dot(y, y), dot(x, y)
        below = 1 - 2 * k * xy + k * k * xx * yy
        return combine((1 - 2 * k * xy - k * yy) / below, x, (1 + k * xx) / below, y)

    def tan(self, t):
        root = mp.sqrt(abs(self.k))
        return t if self.k == 0 else (mp.tan(root * t) if self.k > 0 else mp.tanh(root * t)) / root

    def arctan(self, t):
        root = mp.sqrt(abs(self.k))
        return t if self.k == 0 else (mp.atan(root * t) if self.k > 0 else mp.atanh(root * t)) / root

    def difference(self, x, y):
        return self.add([-a for a in x], y)

    def dist(self, x, y):
        return 2 * self.arctan(length(self.difference(x, y)))

    def exp(self, x, v):
        half = length(v) / (1 + self.k * dot(x, x))
        return self.add(x, [self.tan(half) / length(v) * a for a in v]) if length(v) else x

    def log(self, x, y):
        u = self.difference(x, y)
        scale = (1 + self.k * dot(x, x)) * self.arctan(length(u)) / length(u) if length(u) else 0
        return [scale * a for a in u]

    def transport(self, x, y, v):
        """Gyration by its definition, times the ratio of the metrics; v is scaled down to stay inside the ball."""
        small = mpf(10) ** -40
        w = [small * a for a in v]
        minus = [-a for a in x]
        turned = self.add([-a for a in self.add(y, minus)], self.add(y, self.add(minus, w)))
        ratio = (1 + self.k * dot(y, y)) / (1 + self.k * dot(x, x))
        return [ratio / small * a for a in turned]


class Hyperboloid:
    """In the coordinates after the first."""

    def __init__(self, curvature):
        self.radius = 1 / mp.sqrt(-mpf(curvature))

    def time(self, x):
        return mp.sqrt(self.radius**2 + dot(x, x))

    def rise(self, x, v):
        return dot(x, v) / self.time(x)

    def dist(self, x, y):
        return self.radius * mp.acosh(max(1, (self.time(x) * self.time(y) - dot(x, y)) / self.radius**2))

    def norm(self, x, v):
        return mp.sqrt(max(0, dot(v, v) - self.rise(x, v) ** 2))

    def exp(self, x, v):
        t = self.norm(x, v) / self.radius
        return combine(mp.cosh(t), x, mp.sinh(t) / t if t else 1, v)

    def log(self, x, y):
        t = self.dist(x, y) / self.radius
        return combine(t / mp.sinh(t), y, -t / mp.tanh(t), x) if t else [0 * a for a in x]

    def transport(self, x, y, v):
        product = dot(y, v) - self.time(y) * self.rise(x, v)
        scale = product / (self.radius**2 + self.time(x) * self.time(y) - dot(x, y))
        return [a + scale * (b + c) for a, b, c in zip(v, x, y, strict=True)]


class Sphere:
    def __init__(self, curvature):
        self.radius = 1 / mp.sqrt(mpf(curvature))

    def unit(self, x):
        return [a / length(x) for a in x]

    def angle(self, x, y):
        u, w = self.unit(x), self.unit(y)
        return 2 * mp.atan2(length(combine(1, u, -1, w)), length(combine(1, u, 1, w)))

    def dist(self, x, y):
        return self.radius * self.angle(x, y)

    def exp(self, x, v):
        t = length(v) / self.radius
        return combine(mp.cos(t), x, mp.sin(t) / t if t else 1, v)

    def log(self, x, y):
        u, w, angle = self.unit(x), self.unit(y), self.angle(x, y)
        scale = self.radius * angle / mp.sin(angle) if angle else 0
        return combine(scale, w, -scale * mp.cos(angle), u)

    def transport(self, x, y, v):
        u, w = self.unit(x), self.unit(y)
        scale = dot(w, v) / (1 + dot(u, w))
        return [a - scale * (b + c) for a, b, c in zip(v, u, w, strict=True)]
