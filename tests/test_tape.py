"""The tape hands out the same scratch again and again, and grows it once."""

import numpy as np
import pytest

from sknn.tape import Tape

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@pytest.fixture
def tape():
    return Tape()


@DTYPES
@pytest.mark.parametrize("shape", [(4, 3), (1, 1), (0, 3), (2, 4, 3)])
def test_empty_has_the_shape_asked_for_and_the_dtype_of_its_model(tape, dtype, shape):
    array = tape.empty("a", shape, np.zeros(1, dtype))
    assert (array.shape, array.dtype) == (shape, dtype)
    assert array.flags.writeable


def test_empty_can_have_a_dtype_of_its_own(tape):
    assert tape.empty("a", (2, 2), np.zeros(1), np.int32).dtype == np.int32


@pytest.mark.parametrize("shape", [(4, 3), (2, 4, 3)])
def test_the_same_name_and_shape_give_the_same_array(tape, shape):
    like = np.zeros(1)
    first = tape.empty("a", shape, like)
    assert tape.empty("a", shape, like) is first
    assert not np.shares_memory(tape.empty("b", shape, like), first)


@pytest.mark.parametrize("lead", [(), (2,)])
def test_fewer_samples_are_a_view_of_the_same_memory(tape, lead):
    like = np.zeros(1)
    large = tape.empty("a", (*lead, 10, 3), like)
    small = tape.empty("a", (*lead, 4, 3), like)
    large[...] = 1.0
    small[...] = 2.0
    assert (large[..., :4, :] == 2.0).all()
    assert (large[..., 4:, :] == 1.0).all()
    assert tape.empty("a", (*lead, 10, 3), like) is large
    assert tape.empty("a", (*lead, 4, 3), like) is small


@pytest.mark.parametrize("lead", [(), (2,)])
def test_more_samples_grow_the_memory_and_leave_the_earlier_array_alone(tape, lead):
    like = np.zeros(1)
    small = tape.empty("a", (*lead, 4, 3), like)
    small[...] = 1.0
    large = tape.empty("a", (*lead, 10, 3), like)
    large[...] = 2.0
    assert (small == 1.0).all()
    again = tape.empty("a", (*lead, 4, 3), like)
    assert np.shares_memory(again, large)
    assert tape.empty("a", (*lead, 4, 3), like) is again


def test_other_widths_get_memory_of_their_own(tape):
    like = np.zeros(1)
    narrow = tape.empty("a", (4, 2), like)
    wide = tape.empty("a", (4, 3), like)
    assert (narrow.shape, wide.shape) == ((4, 2), (4, 3))
    assert not np.shares_memory(narrow, wide)


@DTYPES
def test_ones_are_ones_and_the_same_at_each_call(tape, dtype):
    like = np.zeros(1, dtype)
    ones = tape.ones((1, 5), like)
    assert (ones.shape, ones.dtype) == ((1, 5), dtype)
    assert (ones == 1).all()
    assert tape.ones((1, 5), like) is ones
    assert tape.ones((1, 4), like).shape == (1, 4)
    assert tape.ones((1, 5), like) is ones


@DTYPES
def test_numbers_have_no_dimension_and_are_the_same_at_each_call(tape, dtype):
    like = np.zeros(1, dtype)
    number = tape.number(7, like)
    assert (number.shape, number.dtype, float(number)) == ((), dtype, 7.0)
    assert tape.number(7, like) is number
    assert float(tape.number(8, like)) == 8.0


@pytest.mark.parametrize(
    ("x_shape", "w_shape", "shape"),
    [
        ((5, 3), (3, 4), (5, 4)),
        ((5, 3), (2, 3, 4), (2, 5, 4)),
        ((2, 5, 3), (2, 3, 4), (2, 5, 4)),
        ((2, 5, 3), (3, 4), (2, 5, 4)),
    ],
)
def test_a_product_has_room_for_x_times_w(tape, x_shape, w_shape, shape):
    x, W = np.ones(x_shape), np.ones(w_shape)
    room = tape.product("z", x, W)
    assert room.shape == shape == (x @ W).shape
    assert np.matmul(x, W, out=room) is room
    assert tape.product("z", x, W) is room


@DTYPES
def test_a_product_has_the_dtype_of_w(tape, dtype):
    assert tape.product("z", np.ones((5, 3)), np.ones((3, 4), dtype)).dtype == dtype


def test_products_of_fewer_samples_share_memory(tape):
    W = np.ones((3, 4))
    large, small = (tape.product("z", np.ones((n, 3)), W) for n in (9, 5))
    assert small.shape == (5, 4)
    assert np.shares_memory(small, large)
    assert tape.product("z", np.ones((9, 3)), W) is large


def test_products_of_different_names_are_apart(tape):
    x, W = np.ones((5, 3)), np.ones((3, 4))
    assert not np.shares_memory(tape.product("z", x, W), tape.product("dz", x, W))


def test_a_child_is_the_same_at_each_call_and_has_scratch_of_its_own(tape):
    like = np.zeros(1)
    child = tape.child("loss")
    assert tape.child("loss") is child
    mine = tape.empty("a", (3, 2), like)
    assert not np.shares_memory(mine, child.empty("a", (3, 2), like))
    assert not np.shares_memory(mine, tape.child(0).empty("a", (3, 2), like))


def test_layers_are_the_children_in_their_order(tape):
    layers = tape.layers(3)
    assert layers == [tape.child(i) for i in range(3)]
    assert tape.layers(3) is layers
    assert tape.layers(2) == layers[:2]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("recording", [None, False, True])
def test_children_inherit_what_the_pass_is_for(training, recording):
    rng = np.random.RandomState(0)
    child = Tape(training, rng, recording).child(0).child(1)
    assert child.training is training
    assert child.rng is rng
    assert child.recording is (training if recording is None else recording)


def test_scratch_is_a_plain_array_whatever_its_model(tape):
    class Special(np.ndarray):
        pass

    like = np.zeros((2, 2)).view(Special)
    for array in (
        tape.empty("a", (2, 2), like),
        tape.ones((2, 2), like),
        tape.number(1.0, like),
        tape.product("z", np.ones((2, 2)), like),
    ):
        assert type(array) is np.ndarray


def test_a_product_that_has_grown_lets_the_smaller_memory_go():
    tape, W = Tape(), np.ones((3, 4))
    tape.product("z", np.ones((4, 3)), W)
    large = tape.product("z", np.ones((9, 3)), W)
    assert np.shares_memory(tape.product("z", np.ones((4, 3)), W), large)
