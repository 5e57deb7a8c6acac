import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from holonomy._core.training import TrainingOptions
from holonomy._core.training.batches import Process, batch_source

CPU = torch.device("cpu")


def source_of(data, *, is_training=True, process=None, **options):
    return batch_source(
        data, "data", TrainingOptions(**options), is_training=is_training, process=process or Process(CPU)
    )


@settings(max_examples=40, deadline=None)
@given(n_rows=st.integers(1, 50), batch_size=st.integers(1, 60), seed=st.integers(0, 2**62), epoch=st.integers(0, 5))
def test_every_row_comes_exactly_once_an_epoch(n_rows, batch_size, seed, epoch):
    source = source_of(torch.arange(n_rows), batch_size=batch_size)
    batches = list(source.batches(seed, epoch, 0))
    assert torch.cat([batch.data for batch in batches]).sort().values.tolist() == list(range(n_rows))
    assert len(batches) == source.n_batches
    assert all(len(batch.data) == batch.weight <= batch_size for batch in batches)
    for batch in batches:
        assert torch.equal(batch.rows, batch.data)


@settings(max_examples=20, deadline=None)
@given(n_rows=st.integers(1, 30), batch_size=st.integers(1, 8), skip=st.integers(0, 10))
def test_skipping_gives_the_rest_of_the_same_epoch(n_rows, batch_size, skip):
    source = source_of(torch.arange(n_rows), batch_size=batch_size)
    whole = [batch.data.tolist() for batch in source.batches(3, 1, 0)]
    assert [batch.data.tolist() for batch in source.batches(3, 1, skip)] == whole[skip:]


def order(source, seed, epoch):
    return torch.cat([batch.data for batch in source.batches(seed, epoch, 0)]).tolist()


def test_the_order_depends_on_seed_and_epoch_and_on_nothing_else():
    source = source_of(torch.arange(100), batch_size=7)
    first = order(source, 1, 0)
    torch.manual_seed(99)
    assert order(source, 1, 0) == first
    assert order(source, 1, 1) != first
    assert order(source, 2, 0) != first


def test_without_shuffling_and_in_validation_rows_come_in_order():
    assert order(source_of(torch.arange(10), batch_size=3, shuffle=False), 0, 0) == list(range(10))
    assert order(source_of(torch.arange(10), batch_size=3, is_training=False), 0, 0) == list(range(10))


def test_drop_last_and_steps_per_epoch_cut_training_but_not_validation():
    options = {"batch_size": 4, "drop_last": True, "steps_per_epoch": 2}
    assert source_of(torch.arange(15), **options).n_batches == 2
    assert source_of(torch.arange(15), batch_size=4, drop_last=True).n_batches == 3
    assert len(order(source_of(torch.arange(15), is_training=False, **options), 0, 0)) == 15


def test_tuples_dicts_and_data_sets_come_in_their_own_form():
    x, y = torch.arange(6.0)[:, None], torch.arange(6)
    (pair,) = source_of((x, y), batch_size=6).batches(0, 0, 0)
    assert torch.equal(pair.data[0][:, 0].long(), pair.data[1])
    (named,) = source_of({"x": x, "y": y}, batch_size=6).batches(0, 0, 0)
    assert torch.equal(named.data["x"][:, 0].long(), named.data["y"])
    (samples,) = source_of(TensorDataset(x, y), batch_size=6).batches(0, 0, 0)
    assert torch.equal(samples.data[0], pair.data[0])


class Squares(Dataset):
    def __len__(self):
        return 5

    def __getitem__(self, index):
        return {"square": torch.tensor(index**2), "noise": torch.rand(())}


def test_a_map_style_data_set_is_collated_and_draws_the_same_whatever_came_before():
    source = source_of(Squares(), batch_size=2)
    torch.manual_seed(0)
    whole = list(source.batches(7, 0, 0))
    assert sorted(torch.cat([batch.data["square"] for batch in whole]).tolist()) == [0, 1, 4, 9, 16]
    torch.manual_seed(1)
    (last,) = source.batches(7, 0, 2)
    assert torch.equal(last.data["noise"], whole[2].data["noise"])


def test_batches_are_copies():
    data = torch.zeros(4, 2)
    for batch in source_of(data, batch_size=4, shuffle=False).batches(0, 0, 0):
        batch.data.add_(1)
    assert not data.any()


class Endless:
    """Draws from torch's default generator and remembers which epoch it was told."""

    epoch = None

    def set_epoch(self, epoch):
        self.epoch = epoch

    def __iter__(self):
        while True:
            yield torch.rand(3)


def test_a_stream_is_cut_told_its_epoch_and_repeats_itself_when_skipped():
    stream = Endless()
    source = source_of(stream, steps_per_epoch=4)
    assert (source.n_batches, source.n_rows) == (4, None)
    whole = [batch.data for batch in source.batches(5, 2, 0)]
    assert stream.epoch == 2
    assert len(whole) == 4
    assert not torch.equal(whole[0], whole[1])
    torch.manual_seed(123)
    assert all(map(torch.equal, [batch.data for batch in source.batches(5, 2, 1)], whole[1:]))


def test_a_data_loader_shuffles_by_the_seed_of_the_run_and_resumes():
    source = source_of(DataLoader(torch.arange(20), batch_size=6, shuffle=True))
    assert source.n_batches == 4
    whole = [batch.data.tolist() for batch in source.batches(1, 0, 0)]
    assert sorted(row for batch in whole for row in batch) == list(range(20))
    torch.manual_seed(5)
    assert [batch.data.tolist() for batch in source.batches(1, 0, 2)] == whole[2:]
    assert [batch.data.tolist() for batch in source.batches(1, 1, 0)] != whole


def test_a_list_yields_its_items_as_batches():
    graphs = [{"nodes": 3}, {"nodes": 5}]
    batches = list(source_of(graphs).batches(0, 0, 0))
    assert [batch.data for batch in batches] == graphs
    assert all(batch.rows is None and batch.weight == 1 for batch in batches)


@settings(max_examples=20, deadline=None)
@given(n_rows=st.integers(1, 20), batch_size=st.integers(1, 7), world_size=st.integers(1, 4))
def test_processes_share_every_batch_and_their_shares_average_to_the_whole(n_rows, batch_size, world_size):
    processes = [Process(CPU, rank, world_size) for rank in range(world_size)]
    parts = [
        list(source_of(torch.arange(n_rows), batch_size=batch_size, process=p).batches(0, 0, 0)) for p in processes
    ]
    (whole,) = [list(source_of(torch.arange(n_rows), batch_size=batch_size).batches(0, 0, 0))]
    for at_once, batch in zip(zip(*parts, strict=True), whole, strict=True):
        counted = [part.data for part in at_once if part.share > 0]
        assert torch.equal(torch.cat(counted), batch.data)
        mean = sum(part.data.double().mean() * part.share for part in at_once) / world_size
        assert mean == pytest.approx(batch.data.double().mean())
        assert all(torch.equal(part.all_rows, batch.rows) and torch.equal(part.rows, part.data) for part in at_once)


def test_processes_take_ready_batches_in_turn_and_leave_an_incomplete_round():
    stream = list(torch.arange(7))
    sources = [source_of(stream, process=Process(CPU, rank, 3)) for rank in range(3)]
    assert [source.n_batches for source in sources] == [2, 2, 2]
    taken = [[int(batch.data) for batch in source.batches(0, 0, 0)] for source in sources]
    assert taken == [[0, 3], [1, 4], [2, 5]]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.zeros((3, 2)), "ndarray; arrays become tensors with torch.as_tensor"),
        ((torch.zeros(3), np.zeros(3)), "tensors only, got ndarray"),
        ("rows", "got str"),
        (3, "got int"),
        (iter([torch.zeros(2)]), "an iterator, which can be read only once"),
    ],
)
def test_data_of_the_wrong_kind_are_refused(data, message):
    with pytest.raises(TypeError, match=f"data .*{message}"):
        source_of(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((torch.zeros(3), torch.zeros(4)), r"same number of rows, got \[3, 4\]"),
        ((), "no tensor"),
        (torch.tensor(1.0), "without rows"),
        (torch.zeros(0, 2), "0 rows"),
    ],
)
def test_data_without_matching_rows_are_refused(data, message):
    with pytest.raises(ValueError, match=f"data .*{message}"):
        source_of(data)


def test_fewer_rows_than_a_batch_with_drop_last_are_refused():
    with pytest.raises(ValueError, match="3 rows, fewer than batch_size=8, and drop_last=True"):
        source_of(torch.zeros(3), batch_size=8, drop_last=True)


def test_an_iterable_data_set_is_a_stream():
    class Three(IterableDataset):
        def __iter__(self):
            return iter([torch.zeros(1)] * 3)

    source = source_of(Three())
    assert source.n_batches is None
    assert len(list(source.batches(0, 0, 0))) == 3
