"""Golden learning rates from torch.optim.lr_scheduler: 40 steps from 0.8 at the top, without warm-up and after 6 steps
of it.

  CURVE.WARMUP   the rate of each step [40]; CURVE is constant, step (0.5 every 7), exponential (0.9 a step), cosine (to
                 zero at step 40)
  losses, plateau   validation losses, and the rate after each of them (0.5 after 2 that bring nothing better)

`python3 tools/golden/schedules.py` writes Tests/TrainingTests/Fixtures/schedules.json.
"""

import torch
from torch.optim import lr_scheduler

from fixtures import destination, write_json

RATE, STEPS, WARM_UP = 0.8, 40, 6
LOSSES = [3, 2.5, 2.5, 2.6, 2.4, 2.4, 2.7, 2.4, 2.4, 2.39, 2.5, 2.5, 2.5, 2.5, 2.5]


def optimizer():
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=RATE)


def rates(curve, warm_up: int) -> list[float]:
    sgd = optimizer()
    scheduler = curve(sgd, STEPS - warm_up)
    if warm_up:
        sgd = optimizer()
        rise = lr_scheduler.LinearLR(sgd, start_factor=1 / warm_up, total_iters=warm_up - 1)
        scheduler = lr_scheduler.SequentialLR(sgd, [rise, curve(sgd, STEPS - warm_up)], milestones=[warm_up])
    result = []
    for _ in range(STEPS):
        result.append(sgd.param_groups[0]["lr"])
        sgd.step()
        scheduler.step()
    return result


def plateau() -> list[float]:
    sgd = optimizer()
    # Its patience is how many are put up with; ours, how many are too many.
    scheduler = lr_scheduler.ReduceLROnPlateau(sgd, factor=0.5, patience=1, threshold=0)
    result = []
    for loss in LOSSES:
        scheduler.step(loss)
        result.append(sgd.param_groups[0]["lr"])
    return result


def main():
    curves = {
        "constant": lambda sgd, steps: lr_scheduler.LambdaLR(sgd, lambda _: 1.0),
        "step": lambda sgd, steps: lr_scheduler.StepLR(sgd, 7, 0.5),
        "exponential": lambda sgd, steps: lr_scheduler.ExponentialLR(sgd, 0.9),
        "cosine": lambda sgd, steps: lr_scheduler.CosineAnnealingLR(sgd, steps),
    }
    values = {f"{name}.{n}": rates(curve, n) for name, curve in curves.items() for n in (0, WARM_UP)}
    write_json(destination("TrainingTests", "schedules.json"), values | {"losses": LOSSES, "plateau": plateau()})


if __name__ == "__main__":
    main()
