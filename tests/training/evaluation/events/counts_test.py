import numpy as np
import pytest

from training.evaluation.events.counts import count_events, count_segments
from training.evaluation.events.matching import Event, matched

# What sed_eval 0.2.1 says of `made_up(seed)`, with t_collar=0.2,
# percentage_of_length=0.2, event_matching_type="optimal",
# empty_system_output_handling="zero_score", and time_resolution=1.0: F1 micro and
# macro, and the error rate. Of 298 such sets all scores were the same, but for error
# rates of 16, whose substitutions it doesn't match optimally, and macro F1 of segments
# of 4, in which it leaves out labels that are never detected.
SED_EVAL = {
    7: (
        (0.5192307692307692, 0.5486928935204797, 0.9166666666666667),
        (0.5961538461538463, 0.6322874598736667, 0.7291666666666667),
        (0.6728971962616822, 0.7197346600331676, 0.5714285714285714),
    ),
    8: (
        (0.4225352112676056, 0.4183574879227054, 1.027027027027027),
        (0.5915492957746479, 0.58743961352657, 0.7027027027027027),
        (0.7611940298507462, 0.7992275230670195, 0.4126984126984127),
    ),
    9: (
        (0.5283018867924527, 0.5476874003189792, 1.0434782608695652),
        (0.6415094339622641, 0.6481658692185007, 0.7826086956521738),
        (0.7291666666666669, 0.7376323692113166, 0.5714285714285714),
    ),
}


def made_up(seed):
    """(reference, detected) of some recordings."""
    random = np.random.default_rng(seed)
    recordings = []
    for _ in range(int(random.integers(1, 5))):
        reference, detected = [], []
        seconds = random.uniform(10, 60)
        for _ in range(int(random.integers(0, 25))):
            start = random.uniform(0, seconds - 3)
            end = start + random.uniform(0.1, 3)
            reference.append(Event(start, end, "abc"[int(random.integers(3))]))
        for event in reference:
            if random.random() < 0.8:
                start = max(0, event.start + random.normal(0, 0.15))
                end = event.end + random.normal(0, 0.2)
                is_right = random.random() < 0.85
                label = event.label if is_right else "abcd"[int(random.integers(4))]
                detected.append(Event(start, end, label))
        for _ in range(int(random.integers(0, 8))):
            start = random.uniform(0, seconds - 3)
            end = start + random.uniform(0.1, 3)
            detected.append(Event(start, end, "abcd"[int(random.integers(4))]))
        detected = [
            e if e.end > e.start else Event(e.start, e.start + 0.05, e.label)
            for e in detected
        ]
        recordings.append((reference, detected))
    return recordings


def scores(tally):
    return tally.total.f1, tally.macro_f1, tally.error_rate


@pytest.mark.parametrize("seed", SED_EVAL)
def test_scores_are_those_of_sed_eval(seed):
    recordings = made_up(seed)
    whole, starts, segments = SED_EVAL[seed]
    assert scores(count_events(recordings)) == pytest.approx(whole)
    assert scores(count_events(recordings, ends=False)) == pytest.approx(starts)
    assert scores(count_segments(recordings)) == pytest.approx(segments)


def test_matching_makes_as_many_pairs_as_there_can_be():
    # The nearest detection of the first is the only one of the second.
    reference = [Event(1.0, 2.0, "dog"), Event(1.2, 2.2, "dog")]
    detected = [Event(1.05, 2.1, "dog"), Event(0.85, 1.9, "dog")]
    assert matched(reference, detected, 0.18) == [(0, 1), (1, 0)]


def test_of_equal_matchings_starts_are_the_nearest():
    reference = [Event(1.0, 2.0, "dog")]
    detected = [Event(1.1, 2.0, "dog"), Event(1.02, 2.0, "dog"), Event(0.9, 2.0, "dog")]
    assert matched(reference, detected) == [(0, 1)]


def test_a_long_event_may_end_later_by_its_share():
    reference = [Event(0.0, 10.0, "rain")]
    assert matched(reference, [Event(0.0, 11.9, "rain")]) == [(0, 0)]
    assert matched(reference, [Event(0.0, 12.1, "rain")]) == []
    assert matched(reference, [Event(0.0, 12.1, "rain")], ends=False) == [(0, 0)]


def test_a_collar_is_within_it_whatever_the_rounding():
    # 0.9 - 0.7 is 0.20000000000000007.
    assert matched([Event(0.7, 2.0, "dog")], [Event(0.9, 2.0, "dog")]) == [(0, 0)]


def test_errors_add_up_to_what_is_not_right():
    for seed in range(5):
        for tally in (count_events(made_up(seed)), count_segments(made_up(seed))):
            total = tally.total
            missed = total.n_reference - total.n_right
            assert tally.n_substituted + tally.n_deleted == missed
            invented = total.n_detected - total.n_right
            assert tally.n_substituted + tally.n_inserted == invented


def test_a_label_that_is_never_detected_counts_in_the_macro_average():
    reference = [Event(0.0, 1.0, "dog"), Event(2.0, 3.0, "cat")]
    tally = count_events([(reference, reference[:1]), ([], [])])
    assert tally.macro_f1 == 0.5


def test_segments_are_those_that_an_event_touches():
    # Ends at 2 s, but for rounding: the segment from 2 s on isn't touched.
    detected = [Event(0.0, 2.0 + 1e-12, "dog")]
    tally = count_segments([([Event(0.9, 1.1, "dog")], detected)])
    assert (tally.total.n_right, tally.total.n_detected) == (2, 2)
