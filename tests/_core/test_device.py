import subprocess
import sys

import pytest
import torch

from holonomy._core.device import resolve_device


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)


@pytest.mark.parametrize("device", [None, "auto", "cpu", "cpu:0", torch.device("cpu")])
def test_without_a_gpu_everything_that_may_be_the_cpu_is(device, no_gpu):
    assert resolve_device(device) == torch.device("cpu")


@pytest.mark.parametrize(
    ("device", "index"),
    [(None, 1), ("auto", 1), ("cuda", 1), ("cuda:0", 0), (torch.device("cuda"), 1), (torch.device("cuda:0"), 0)],
)
def test_a_gpu_is_taken_where_there_is_one_and_carries_its_index(device, index, two_gpus):
    assert resolve_device(device) == torch.device("cuda", index)


@pytest.mark.parametrize("device", ["cuda", "cuda:1", torch.device("cuda")])
def test_a_missing_gpu_is_named_with_the_way_out(device, no_gpu):
    with pytest.raises(ValueError, match=r"asks for a GPU, but .*pass device='cpu' or 'auto'"):
        resolve_device(device)


def test_a_gpu_number_that_does_not_exist_is_named(two_gpus):
    with pytest.raises(ValueError, match="asks for GPU 2, but this machine has 2"):
        resolve_device("cuda:2")


@pytest.mark.parametrize("device", ["gpu", "", "mps", "cuda:x"])
def test_an_unknown_device_is_refused(device):
    with pytest.raises(ValueError, match="device must be 'auto', 'cpu', 'cuda' or 'cuda:N'"):
        resolve_device(device)


@pytest.mark.parametrize("device", [0, True, ["cpu"]])
def test_a_device_of_the_wrong_type_is_refused(device):
    with pytest.raises(TypeError, match="device must be"):
        resolve_device(device)


def test_importing_the_module_does_not_import_torch():
    code = "import sys, holonomy._core.device; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
