"""Intervals of M24 from first principles: Wilson, Newcombe, Student's t, Welch. Floats are allowed here."""

from fractions import Fraction
from math import exp, lgamma, log, sqrt

Z = 1.959963984540054
Interval = tuple[float, float]


def wilson(successes: int, n: int) -> Interval:
    """95 % interval of a share."""
    p, z2 = successes / n, Z * Z
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return middle - half, middle + half


def newcombe(t: tuple[int, int], c: tuple[int, int]) -> Interval:
    """95 % interval of the difference of two shares (successes, n)."""
    p_t, p_c = t[0] / t[1], c[0] / c[1]
    (l_t, u_t), (l_c, u_c) = wilson(*t), wilson(*c)
    d = p_t - p_c
    return d - sqrt((p_t - l_t) ** 2 + (u_c - p_c) ** 2), d + sqrt((u_t - p_t) ** 2 + (p_c - l_c) ** 2)


def t_density(x: float, df: float) -> float:
    scale = lgamma((df + 1) / 2) - lgamma(df / 2) - 0.5 * log(df * 3.141592653589793)
    return exp(scale - (df + 1) / 2 * log(1 + x * x / df))


def t_central_mass(x: float, df: float) -> float:
    """P(0 <= T <= x), Simpson's rule on many small steps."""
    steps = 2000
    h = x / steps
    total = t_density(0, df) + t_density(x, df)
    for i in range(1, steps):
        total += (4 if i % 2 else 2) * t_density(i * h, df)
    return total * h / 3


def t_quantile_975(df: float) -> float:
    """The x with P(T <= x) = 0.975, by Newton's method from below."""
    x = Z
    for _ in range(200):
        step = (0.475 - t_central_mass(x, df)) / t_density(x, df)
        x += step
        if abs(step) < 1e-13 * x:
            return x
    raise ArithmeticError(f"no quantile for df={df}")


def mean_and_variance(values: list[int]) -> tuple[float, float]:
    """Mean and unbiased variance of kopecks, in rubles; exact inside, so the order of values cannot matter."""
    mean = Fraction(sum(values), len(values))
    variance = sum((v - mean) ** 2 for v in values) / (len(values) - 1)
    return float(mean / 100), float(variance / 10000)


def welch(t: list[int], c: list[int]) -> Interval:
    """95 % Welch interval of the difference of means (kopecks in, rubles out)."""
    (mean_t, var_t), (mean_c, var_c) = mean_and_variance(t), mean_and_variance(c)
    a, b = var_t / len(t), var_c / len(c)
    difference = mean_t - mean_c
    if a + b == 0:
        return difference, difference
    df = (a + b) ** 2 / (a * a / (len(t) - 1) + b * b / (len(c) - 1))
    half = t_quantile_975(df) * sqrt(a + b)
    return difference - half, difference + half
