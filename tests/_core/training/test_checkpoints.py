import pickle
from collections import OrderedDict

import numpy as np
import pytest
import torch

from holonomy._core.training.checkpoints import (
    VERSION,
    as_plain,
    checkpoint_path,
    keep_newest,
    list_checkpoints,
    load_checkpoint,
    save_checkpoint,
)


def test_what_is_saved_comes_back(tmp_path):
    state = {"weights": {"a": torch.arange(3.0)}, "numbers": [1, 2.5, True, None, 1j], "name": "x", "pair": (1, 2)}
    path = checkpoint_path(tmp_path / "new" / "folder", 12)
    save_checkpoint(path, state)
    found, loaded = load_checkpoint(path)
    assert found == path
    assert torch.equal(loaded["weights"].pop("a"), state["weights"].pop("a"))
    assert loaded == state
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_stands_for_its_newest_checkpoint(tmp_path):
    for step in (3, 20, 100):
        save_checkpoint(checkpoint_path(tmp_path, step), {"step": step})
    (tmp_path / "notes.txt").write_text("not a checkpoint")
    assert load_checkpoint(tmp_path)[1] == {"step": 100}
    assert [step for step, _ in list_checkpoints(tmp_path)] == [3, 20, 100]
    keep_newest(tmp_path, None)
    assert len(list_checkpoints(tmp_path)) == 3
    keep_newest(tmp_path, 2)
    assert [step for step, _ in list_checkpoints(tmp_path)] == [20, 100]


def test_a_crash_while_writing_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    path = checkpoint_path(tmp_path, 1)
    save_checkpoint(path, {"value": 1})

    def crash(content, file):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", crash)
    with pytest.raises(OSError, match="disk full"):
        save_checkpoint(path, {"value": 2})
    monkeypatch.undo()
    assert load_checkpoint(path)[1] == {"value": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_the_versions_that_modules_give_their_state_survive(tmp_path):
    path = checkpoint_path(tmp_path, 0)
    save_checkpoint(path, {"module": torch.nn.BatchNorm1d(2).state_dict()})
    assert load_checkpoint(path)[1]["module"]._metadata == {"": {"version": 2}}


def test_numpy_scalars_become_python_numbers():
    plain = as_plain({"lr": np.float64(0.1), "steps": [np.int64(3)]}, "state")
    assert type(plain["lr"]) is float
    assert type(plain["steps"][0]) is int


@pytest.mark.parametrize(
    ("state", "where"),
    [
        ({"optimizer": {"groups": [{"manifold": torch.nn.Linear(1, 1)}]}}, r"state\['optimizer'\]\['groups'\]\[0\]"),
        ({"f": len}, r"state\['f'\] is a builtin_function"),
        ({"array": np.zeros(3)}, r"state\['array'\] is a ndarray"),
        ({"d": OrderedDict(a={1, 2})}, r"state\['d'\]\['a'\] is a set"),
    ],
)
def test_what_would_need_a_pickle_is_refused_and_located(state, where, tmp_path):
    with pytest.raises(TypeError, match=where):
        save_checkpoint(checkpoint_path(tmp_path, 0), state)
    assert not list(tmp_path.iterdir())


def test_a_missing_file_and_an_empty_folder_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.pt' does not exist"):
        load_checkpoint(tmp_path / "none.pt")
    with pytest.raises(FileNotFoundError, match="holds no checkpoint"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 half a zip"])
def test_a_file_that_is_something_else_is_refused(content, tmp_path):
    path = tmp_path / "step-000000001.pt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="cannot be read as a checkpoint"):
        load_checkpoint(path)


@pytest.fixture
def saved(tmp_path):
    path = checkpoint_path(tmp_path, 1)
    save_checkpoint(path, {"weights": torch.arange(1000.0)})
    return path


def test_a_truncated_file_is_refused(saved):
    saved.write_bytes(saved.read_bytes()[:-200])
    with pytest.raises(ValueError, match="cannot be read as a checkpoint"):
        load_checkpoint(saved)


def test_a_flipped_bit_in_the_weights_is_noticed(saved):
    content = bytearray(saved.read_bytes())
    at = content.index(torch.arange(500.0, 510.0).numpy().tobytes())
    content[at] ^= 1
    saved.write_bytes(content)
    with pytest.raises(ValueError, match="cannot be read as a checkpoint"):
        load_checkpoint(saved)


def test_another_version_is_refused_with_both_numbers(tmp_path):
    path = tmp_path / "x.pt"
    torch.save({"format": "holonomy training checkpoint", "version": VERSION + 1, "state": {}}, path)
    with pytest.raises(ValueError, match=f"version {VERSION + 1}, but .* reads version {VERSION}"):
        load_checkpoint(path)


@pytest.mark.parametrize("content", [{"state": {}}, [1, 2], {"format": "another", "version": 1}])
def test_a_torch_file_of_another_kind_is_refused(content, tmp_path):
    path = tmp_path / "x.pt"
    torch.save(content, path)
    with pytest.raises(ValueError, match="is not a holonomy training checkpoint"):
        load_checkpoint(path)


class Malicious:
    def __reduce__(self):
        return (pytest.fail, ("code of the file was run",))


def test_code_in_a_file_is_never_run(tmp_path):
    for name, write in (
        ("torch.pt", torch.save),
        ("pickle.pt", lambda value, path: path.write_bytes(pickle.dumps(value))),
    ):
        path = tmp_path / name
        write({"format": "holonomy training checkpoint", "version": VERSION, "state": Malicious()}, path)
        with pytest.raises(ValueError, match="cannot be read as a checkpoint"):
            load_checkpoint(path)
