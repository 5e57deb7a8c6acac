import pickle

import pytest
import torch

from holonomy._core.training import NonFiniteError
from holonomy._core.training.errors import rows_not_finite


def test_the_message_names_where_and_what_to_do():
    error = NonFiniteError("loss", float("nan"), 37, 3, 5, [4, 17, 2], [], 0.125)
    assert isinstance(error, FloatingPointError)
    assert str(error).startswith(
        "The loss became nan at step 37 (epoch 3, batch 5, rows [4, 17, 2]); the last finite loss was 0.125."
    )
    assert "lower the learning rate" in str(error)


def test_data_that_are_not_finite_are_blamed_first():
    error = NonFiniteError("loss", float("nan"), 0, 0, 0, [4, 17, 2], [17], None)
    assert "there was no finite loss before" in str(error)
    assert str(error).endswith("The data are not finite in rows [17]: clean or impute them.")


def test_long_lists_of_rows_are_shortened_and_unknown_ones_left_out():
    assert ", 19, ... 300 in all]" in str(NonFiniteError("loss", 1.0, 0, 0, 0, list(range(300)), [], None))
    assert "rows" not in str(NonFiniteError("loss", 1.0, 0, 0, 0, None, [], None)).split(";")[0]


def test_it_survives_pickling():
    error = NonFiniteError("gradient norm", float("inf"), 1, 2, 3, [4], [5], 6.0)
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert str(copy) == str(error)
    assert (copy.step, copy.epoch, copy.batch, copy.rows, copy.bad_rows) == (1, 2, 3, [4], [5])


@pytest.mark.parametrize("wrap", [lambda x, y: x, lambda x, y: (y, x), lambda x, y: {"x": x, "inner": [y]}])
def test_rows_that_are_not_finite_are_found_in_any_form_of_batch(wrap):
    x, y = torch.zeros(4, 2, 3), torch.zeros(4, dtype=torch.int64)
    x[1, 0, 2], x[3, 1, 1] = torch.nan, torch.inf
    assert rows_not_finite(wrap(x, y), torch.tensor([10, 11, 12, 13])) == [11, 13]


def test_batches_of_unknown_form_hold_no_bad_rows():
    assert rows_not_finite(object(), torch.tensor([0])) == []
    assert rows_not_finite((torch.tensor(torch.nan), torch.zeros(3)), torch.tensor([0])) == []
