"""The recording that the page makes itself, for visitors who have none."""

import numpy as np
import pytest

from tests.examples.web.conftest import LABELS, heard
from training.tasks import synthesis
from training.tasks.synthetic import WORDS

pytestmark = pytest.mark.browser


class Recorded:
    """A generator that keeps what it drew, number by number."""

    def __init__(self, seed):
        self._random = np.random.default_rng(seed)
        self.drawn = []

    def _keep(self, values):
        self.drawn += np.ravel(values).tolist()
        return values

    def uniform(self, low, high, size=None):
        return self._keep(self._random.uniform(low, high, size))

    def normal(self, mean, deviation, size=None):
        return self._keep(self._random.normal(mean, deviation, size))

    def standard_normal(self, size):
        return self._keep(self._random.standard_normal(size))


@pytest.mark.parametrize("word", ["dabi", "kasho", "nia"])
def test_the_voice_is_that_of_the_synthetic_task(one_page, word):
    random = Recorded(list(WORDS).index(word))
    speaker = synthesis.draw_speaker(random)
    expected = synthesis.say(WORDS[word], speaker, random)
    spoken, n_drawn = one_page.evaluate(
        """async ([word, drawn]) => {
          const {drawSpeaker, say, WORDS} = await import("./voice.js");
          let count = 0;
          const next = () => drawn[count++];
          const random = {uniform: next, normal: next};
          const speaker = drawSpeaker(random);
          return [[...say(WORDS[word], speaker, random)], count];
        }""",
        [word, random.drawn],
    )
    assert n_drawn == len(random.drawn)
    np.testing.assert_allclose(spoken, expected, atol=1e-9 * np.abs(expected).max())


def test_the_words_are_those_of_the_task(one_page):
    words = one_page.evaluate("import('./voice.js').then(({WORDS}) => WORDS)")
    assert words == {word: list(phones) for word, phones in WORDS.items()}


SPEAK = """async ([labels, seed, wanted]) => {
  const {speak} = await import("./example.js");
  const {words, known, file} = speak(labels, seed);
  const bytes = new Uint8Array(await file.arrayBuffer());
  const digest = [...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))];
  const samples = [...new Int16Array(bytes.buffer, 44)];
  return {words, known, digest, samples: wanted ? samples : null};
}"""


def test_a_model_hears_words_that_it_knows_in_an_order_of_the_seed(one_page):
    labels = ["nia", "mogu", "other", "bida"]
    spoken = [one_page.evaluate(SPEAK, [labels, seed]) for seed in (0, 0, 1)]
    assert spoken[0] == spoken[1]
    assert spoken[0]["digest"] != spoken[2]["digest"]
    for each in spoken:
        assert each["known"] and sorted(each["words"]) == ["bida", "mogu", "nia"]
    strange = one_page.evaluate(SPEAK, [["cat", "dog"], 0])
    assert not strange["known"] and len(strange["words"]) == 4


def test_each_word_has_its_second_and_silence_follows(one_page):
    spoken = one_page.evaluate(SPEAK, [["nai", "kaso"], 3, True])
    samples = np.array(spoken["samples"]) / 32768
    assert samples.size == 16000 // 2 * 7  # half a second, and one and a half a word
    loudest = np.abs(samples.reshape(7, -1)).max(axis=-1)
    assert np.all(loudest[[0, 3, 6]] < 0.03)
    for word in (loudest[1:3], loudest[4:6]):
        assert word.max() == pytest.approx(0.5, abs=0.03)


def test_a_visitor_without_a_recording_sees_something_happen(open_page):
    page = open_page()
    page.click("#example")
    page.wait_for_selector("body[data-state=heard]")
    assert "none is a label of this model" in page.inner_text("#status")
    assert heard(page)["waveform"].size / 8000 == pytest.approx(6.5)
    assert page.locator("#lanes").is_visible() and page.locator("#player").is_visible()
    # The same words of a model that has them among its labels; another voice each time.
    first = heard(page)["waveform"]
    page.click("#example")
    page.wait_for_selector("body[data-state=heard]")
    assert not np.array_equal(heard(page)["waveform"], first)
    assert set(LABELS).isdisjoint(WORDS)
