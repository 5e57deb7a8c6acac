import torch

from holonomy._core.training.randomness import forked_generators, seed_default_generators, torch_threads

CPU = torch.device("cpu")


def draw(*stream):
    seed_default_generators(CPU, 1, *stream)
    return torch.rand(4)


def test_streams_depend_on_their_whole_name_and_are_repeatable():
    with forked_generators(CPU):
        first = draw("layers", 0)
        assert torch.equal(draw("layers", 0), first)
        assert not torch.equal(draw("layers", 1), first)
        assert not torch.equal(draw("data", 0), first)


def test_the_global_generator_comes_back_even_after_an_error():
    before = torch.get_rng_state()
    try:
        with forked_generators(CPU):
            draw("layers", 0)
            raise KeyError
    except KeyError:
        pass
    assert torch.equal(torch.get_rng_state(), before)


def test_threads_are_set_inside_the_block_only():
    before = torch.get_num_threads()
    with torch_threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
    with torch_threads(None):
        assert torch.get_num_threads() == before
