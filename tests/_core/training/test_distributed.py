"""Two processes that share every batch compute what one process does."""

import subprocess
import sys

import pytest
import torch

SCRIPT = """
import sys
import torch
from lightning_fabric import Fabric
from holonomy._core.training import Checkpoints, TrainingOptions, fit_module

def loss(module, batch, step):
    x, y = batch
    error = module(x) - y
    return error.square().mean(), {"mae": error.abs().mean()}

def fit(fabric=None, **keywords):
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)).double()
    x = torch.randn(37, 3, generator=torch.Generator().manual_seed(0)).double()
    options = {"max_epochs": 3, "batch_size": 9, "ema_decay": 0.5, "gradient_clip_norm": 0.5}
    options |= {"max_steps": keywords.pop("max_steps", None), "device": "cpu" if fabric is None else None}
    data = x, x.sum(dim=1, keepdim=True)
    result = fit_module(module, loss, data, validation=data, options=TrainingOptions(**options), random_state=0,
                        fabric=fabric, **keywords)
    return {"history": result.history, "module": result.module.state_dict(), "ema": result.ema_module.state_dict()}

def work(fabric, folder):
    whole = fit(fabric)
    fit(fabric, max_steps=7, checkpoints=Checkpoints(folder=f"{folder}/run"))
    resumed = fit(fabric, resume_from=f"{folder}/run")
    rows = []
    def noting(module, batch, step):
        rows.append(step.rows)
        return loss(module, batch, step)
    # 36 rows in batches of 12: both processes have 6 rows of their own at each of 3 steps.
    fit_module(torch.nn.Linear(3, 1), noting, (torch.zeros(36, 3), torch.zeros(36, 1)), fabric=fabric,
               options=TrainingOptions(max_epochs=1, batch_size=12))
    state = {"whole": whole, "resumed": resumed, "rows": torch.cat(rows)}
    torch.save(state, f"{folder}/rank{fabric.global_rank}.pt")
    # A process that leaves while gloo's threads still run may be aborted by them.
    fabric.barrier()
    torch.distributed.destroy_process_group()

if __name__ == "__main__":
    Fabric(accelerator="cpu", devices=2, strategy="ddp_spawn").launch(work, sys.argv[1])
    torch.save(fit(), f"{sys.argv[1]}/alone.pt")
"""


@pytest.mark.slow
def test_two_processes_equal_one_and_resume_to_the_same_bits(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    alone = torch.load(tmp_path / "alone.pt", weights_only=True)
    first, second = (torch.load(tmp_path / f"rank{rank}.pt", weights_only=True) for rank in range(2))
    # 37 rows in batches of 9 leave one row: one of the processes has none of its own.
    assert [row["step"] for row in alone["history"]] == [5, 10, 15]
    for row, expected in zip(first["whole"]["history"], alone["history"], strict=True):
        assert row == pytest.approx(expected, rel=1e-12)
    for part in ("module", "ema"):
        torch.testing.assert_close(first["whole"][part], alone[part], rtol=1e-12, atol=1e-12)
    for outcome in (first["resumed"], second["whole"], second["resumed"]):
        assert outcome["history"] == first["whole"]["history"]
        for part in ("module", "ema"):
            for name, value in outcome[part].items():
                assert torch.equal(value, first["whole"][part][name])
    # Without a seed the processes agree on one, so that together they see every row once.
    assert torch.cat([first["rows"], second["rows"]]).sort().values.tolist() == list(range(36))
