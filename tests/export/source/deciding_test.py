"""What the outputs of users' own models are: graph, loss and probe clips together."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from export.source.activation import meaning_of
from export.source.deciding import Seen, decide, require_probabilities
from export.source.losses import Loss
from leaf_files.errors import UserError

FRAMES = np.random.default_rng(0).normal(0, 2, (6, 5, 4)).astype("float32")
BINARY = Loss("BinaryCrossentropy(from_logits=True)", "sigmoid", True)
ONE_LABEL = Loss("SparseCategoricalCrossentropy(from_logits=True)", "softmax", True)


def decision(end, loss=None, asked=None, told=None, n=3, activation=None, spread=1.0):
    """Of a model that ends in `end` of (batch, 5, n) frames of logits."""
    keras.utils.set_random_seed(3)
    frames = keras.Input((5, 4))
    kernel = keras.initializers.RandomNormal(stddev=spread)
    dense = layers.Dense(n, activation, kernel_initializer=kernel)
    model = keras.Model(frames, end(dense(frames)))
    seen = Seen.of(model(FRAMES))
    found = decide(meaning_of(model.outputs[0]), loss, seen, asked, told, "own.keras")
    require_probabilities(found, np.array(model(FRAMES)), "own.keras")
    return found


def read(*arguments, **options):
    found = decision(*arguments, **options)
    return found.activation, found.gives_logits


def refused(message, *arguments, **options):
    with pytest.raises(UserError, match=message):
        decision(*arguments, **options)


def pooled(tensor):
    return ops.mean(tensor, axis=1)


def nested(tensor):
    inside = keras.Sequential(
        [keras.Input((3,)), layers.Identity(), layers.Dropout(0.1)]
    )
    return inside(ops.softmax(pooled(tensor)))


def ensemble(join):
    def end(tensor):
        logits = pooled(tensor)
        return join(ops.softmax(logits), ops.softmax(3 * logits + 1))

    return end


SOFTMAXES = {
    "a layer": lambda x: layers.Softmax()(pooled(x)),
    "mixed precision": lambda x: layers.Activation("linear", dtype="float32")(
        layers.Softmax()(pooled(x))
    ),
    "identity": lambda x: layers.Identity(name="scores")(ops.softmax(pooled(x))),
    "reshape": lambda x: layers.Reshape((3,))(ops.softmax(pooled(x))),
    "flatten": lambda x: layers.Flatten()(ops.softmax(x)[:, :1]),
    "squeeze": lambda x: ops.squeeze(ops.softmax(x[:, 2:3]), 1),
    "cast": lambda x: ops.cast(ops.cast(ops.softmax(pooled(x)), "float16"), "float32"),
    "frames' mean": lambda x: layers.GlobalAveragePooling1D()(ops.softmax(x)),
    "time distributed": lambda x: pooled(layers.TimeDistributed(layers.Softmax())(x)),
    "a model within": nested,
    "average": ensemble(lambda a, b: layers.Average()([a, b])),
    "halved sum": ensemble(lambda a, b: (a + b) / 2),
    "weighted sum": ensemble(lambda a, b: 0.3 * a + 0.7 * b),
    "normalized": ensemble(lambda a, b: a * b / ops.sum(a * b, -1, keepdims=True)),
    "rescaled": lambda x: layers.Rescaling(1.0)(ops.softmax(pooled(x))),
    "the other one": lambda x: ops.concatenate(
        [1 - ops.sigmoid(pooled(x)[:, :1]), ops.sigmoid(pooled(x)[:, :1])], -1
    ),
    "by hand": lambda x: ops.exp(pooled(x)) / ops.sum(ops.exp(pooled(x)), -1, True),
    "exp of logs": lambda x: ops.exp(ops.log_softmax(pooled(x))),
    "clipped": lambda x: ops.clip(ops.softmax(pooled(x)), 1e-7, 1 - 1e-7),
}
SIGMOIDS = {
    "a layer": lambda x: layers.Activation("sigmoid")(pooled(x)),
    "frames' mean": lambda x: layers.GlobalAveragePooling1D()(ops.sigmoid(x)),
    "frames' maximum": lambda x: layers.GlobalMaxPooling1D()(ops.sigmoid(x)),
    "maximum": lambda x: layers.Maximum()([ops.sigmoid(x[:, 0]), ops.sigmoid(x[:, 1])]),
    "hard": lambda x: ops.hard_sigmoid(pooled(x)),
    "clipped": lambda x: ops.clip(pooled(x), 0, 1),
    "masked": lambda x: ops.sigmoid(pooled(x)) * ops.cast(x[:, 0] > 0, "float32"),
    "where": lambda x: ops.where(x[:, 0] > 0, ops.sigmoid(x[:, 1]), 0.0),
    "none is there": lambda x: 1 - ops.prod(1 - ops.sigmoid(x), axis=1),
    "attention": lambda x: ops.sum(ops.softmax(x, axis=1) * ops.sigmoid(2 * x), axis=1),
    "softmaxes' maximum": lambda x: layers.GlobalMaxPooling1D()(ops.softmax(x)),
    "some of a softmax": lambda x: ops.softmax(pooled(x))[:, 1:],
}


@pytest.mark.parametrize("end", SOFTMAXES.values(), ids=SOFTMAXES)
def test_what_a_softmax_made_is_taken_as_it_is(end):
    assert read(end) == ("softmax", False)


@pytest.mark.parametrize("end", SIGMOIDS.values(), ids=SIGMOIDS)
def test_labels_that_count_for_themselves_are_taken_as_they_are(end):
    assert read(end) == ("sigmoid", False)


def test_layers_with_an_activation_of_their_own():
    assert read(pooled, activation="softmax") == ("softmax", False)
    assert read(pooled, activation="sigmoid") == ("sigmoid", False)
    assert read(lambda x: x[:, 0], activation="hard_sigmoid") == ("sigmoid", False)
    assert read(lambda x: layers.Dense(1, "sigmoid")(pooled(x))) == ("sigmoid", False)


def test_logs_of_probabilities_become_probabilities_by_softmax():
    for end in (ops.log_softmax, lambda x: ops.log(ops.softmax(x))):
        found = decision(lambda x, end=end: end(pooled(x)))
        assert (found.activation, found.gives_logits) == ("softmax", True)
        assert not found.note
    refused(
        r"the exponentials of its outputs don't sum to 1; say it: --activation none",
        lambda x: ops.max(ops.log_softmax(x), axis=1),
    )


def test_the_loss_says_what_logits_are():
    assert read(pooled, BINARY) == ("sigmoid", True)
    assert read(pooled, BINARY, n=1) == ("sigmoid", True)
    assert read(pooled, ONE_LABEL) == ("softmax", True)
    assert read(lambda x: ops.max(x, axis=1), BINARY) == ("sigmoid", True)
    assert decision(pooled, BINARY).known_from == (
        "the loss in the file, BinaryCrossentropy(from_logits=True)"
    )


def test_logits_without_a_loss_are_taken_for_the_usual_and_it_is_said():
    found = decision(pooled)
    assert (found.activation, found.gives_logits) == ("softmax", True)
    assert found.note.startswith("nothing in the file says what its outputs are")
    assert found.note.endswith("export with --activation sigmoid")
    found = decision(pooled, n=1)
    assert (found.activation, found.gives_logits) == ("sigmoid", True)
    assert "taken for a logit" in found.note


def test_attention_over_logits_gives_logits():
    end = lambda x: ops.sum(ops.softmax(x, axis=1) * (2 * x), axis=1)  # noqa: E731
    assert read(end, BINARY) == ("sigmoid", True)


def test_a_loss_that_contradicts_the_model_is_refused():
    refused(
        r"BinaryCrossentropy\(from_logits=True\), takes logits, but the model ends in "
        "sigmoid, which gives probabilities; say it: --activation none",
        lambda x: ops.sigmoid(pooled(x)),
        BINARY,
    )
    refused(
        "binary_crossentropy, takes probabilities, but the model ends in Dense",
        pooled,
        Loss("binary_crossentropy", "sigmoid"),
    )
    found = decision(lambda x: ops.sigmoid(pooled(x)), Loss("mse", is_of_numbers=True))
    assert found.activation == "sigmoid"
    found = decision(
        lambda x: ops.sigmoid(pooled(x)),
        Loss("sparse_categorical_crossentropy", "softmax"),
    )
    assert found.activation == "sigmoid" and "is of one label a clip" in found.note


def test_what_stays_unclear_is_refused_with_the_option():
    refused(
        r"unclear what the outputs of own.keras are: the model ends in tanh \(on probe "
        r"clips from -\S+ to \S+\), and the file has no loss .* --activation none if",
        lambda x: ops.tanh(pooled(x)),
    )
    refused("ends in relu", lambda x: ops.relu(pooled(x)))
    refused("ends in negative of softmax.* reach from", lambda x: -ops.softmax(x)[:, 0])
    refused("is one of numbers, not of labels", pooled, Loss("mse", is_of_numbers=True))
    refused("MyLoss, is not one that tells", pooled, Loss("MyLoss"))
    refused("add of sigmoid.*reach", lambda x: ops.sigmoid(x)[:, 0] + 1)
    refused("softmax makes 1 whatever the sound", ops_softmax_of_one, n=1)
    refused("softmax makes 1 whatever the sound", pooled, ONE_LABEL, n=1)


def ops_softmax_of_one(tensor):
    return ops.softmax(pooled(tensor))


def test_the_option_wins_and_is_checked_on_the_clips():
    assert read(pooled, ONE_LABEL, asked="sigmoid") == ("sigmoid", True)
    assert read(lambda x: ops.tanh(pooled(x)), asked="softmax") == ("softmax", True)
    squashed = lambda x: (ops.tanh(pooled(x)) + 1) / 2  # noqa: E731
    assert read(squashed, asked="none") == ("sigmoid", False)
    assert read(SOFTMAXES["average"], BINARY, asked="none") == ("softmax", False)
    refused("but on probe clips they reach from -", pooled, asked="none")
    refused("they sum to 1 on probe clips", SOFTMAXES["by hand"], asked="sigmoid")
    refused("single number", pooled, asked="softmax", n=1)


def test_another_step_than_the_model_was_trained_for_is_told():
    assert decision(pooled, ONE_LABEL, asked="sigmoid").note == (
        "the loss in the file, SparseCategoricalCrossentropy(from_logits=True), is of "
        "softmax; --activation sigmoid is done, as you say"
    )
    told = decision(pooled, BINARY, asked="sigmoid", told="softmax").note
    assert told.startswith("the run's tasks.json is of softmax")
    assert not decision(pooled, ONE_LABEL, asked="softmax").note
    assert not decision(pooled, asked="sigmoid").note
    assert not decision(SOFTMAXES["average"], BINARY, asked="none").note


@pytest.mark.parametrize("end", SOFTMAXES.values(), ids=SOFTMAXES)
def test_the_softmax_that_is_there_may_be_named_and_is_not_done_twice(end):
    assert read(end, asked="softmax") == ("softmax", False)
    assert read(end, ONE_LABEL, asked="softmax") == ("softmax", False)
    refused(
        r"--activation sigmoid is .* already \(.*sum to 1 .*\); give softmax or none",
        end,
        asked="sigmoid",
    )


@pytest.mark.parametrize("end", SIGMOIDS.values(), ids=SIGMOIDS)
def test_the_sigmoid_that_is_there_may_be_named_and_is_not_done_twice(end):
    assert read(end, asked="sigmoid") == ("sigmoid", False)
    refused(
        "--activation softmax is .* from 0 to 1 each .*; give sigmoid or none",
        end,
        asked="softmax",
    )


def test_no_sigmoid_is_done_on_numbers_from_0_to_1():
    by_hand = lambda x: 1 / (1 + ops.exp(-pooled(x)))  # noqa: E731
    refused(r"makes .5 to .73 of .*, of truedivide of", by_hand, asked="sigmoid")
    refused("softmax makes 1 whatever", ops_softmax_of_one, asked="none", n=1)
    refused("softmax makes 1 whatever", ops_softmax_of_one, asked="sigmoid", n=1)


def test_logits_beside_probabilities_are_neither():
    for join in (layers.Concatenate(), layers.Add()):
        end = ensemble(lambda a, b, join=join: join([layers.Dense(3)(a), b]))
        refused("ends in (concatenate|add) of Dense and softmax", end)


def test_a_layer_given_as_an_activation():
    sigmoid = layers.Activation("sigmoid")
    assert read(lambda x: layers.Dense(3, sigmoid)(pooled(x))) == ("sigmoid", False)
    softmax = layers.Softmax()
    assert read(lambda x: layers.Dense(3, softmax)(pooled(x))) == ("softmax", False)


def test_a_runs_own_word_goes_before_the_loss():
    assert read(pooled, ONE_LABEL, told="sigmoid") == ("sigmoid", True)
    assert read(SIGMOIDS["hard"], told="sigmoid") == ("sigmoid", False)
    refused("activation softmax; it must be sigmoid", SIGMOIDS["hard"], told="softmax")
    refused("must be softmax or sigmoid", pooled, told="relu")


def test_probabilities_that_are_none_on_the_clips_are_refused():
    found = decision(SOFTMAXES["average"])
    answers = np.array([[0.2, 0.8, 0.0], [0.3, 0.3, 0.3]])
    with pytest.raises(UserError, match="on the clips don't sum to 1"):
        require_probabilities(found, answers, "own.keras")
    with pytest.raises(UserError, match="--activation winds=none if"):
        require_probabilities(found, 2 * answers, "own.keras", "winds")


def test_a_clip_that_gives_no_number_does_not_count():
    seen = Seen.of([[0.25, 0.75], [np.nan, np.nan]])
    assert seen.sums_to_one and seen.most == 0.75
