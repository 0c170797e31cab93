"""The page on a microphone that plays a WAV file to it."""

import numpy as np
import pytest
import soundfile

from export.runners.opening import open_artifact
from tests.examples.web.conftest import LABELS, WINDOW_SAMPLES, heard
from tests.export.models import SAMPLE_RATE

pytestmark = pytest.mark.browser

SECONDS = 3  # of the file, which Chromium plays again and again


@pytest.fixture(scope="module")
def sound():
    """A rising tone in low noise, quieter at its ends: no part of it, faster or slower,
    is like another."""
    t = np.arange(SECONDS * SAMPLE_RATE) / SAMPLE_RATE
    noise = np.random.default_rng(11).standard_normal(t.size)
    low = np.convolve(noise, np.ones(8) / np.sqrt(8), "same")
    envelope = np.sin(np.pi * t / SECONDS)
    return envelope * (0.2 * np.sin(2 * np.pi * 300 * t * (1 + t / 2)) + 0.15 * low)


@pytest.fixture(scope="module")
def other():
    return np.random.default_rng(12).standard_normal(SECONDS * SAMPLE_RATE)


@pytest.fixture(scope="module")
def talking(launch, sound, tmp_path_factory):
    """Chromium whose microphone hears `sound`."""
    path = tmp_path_factory.mktemp("microphone") / "sound.wav"
    soundfile.write(path, sound, SAMPLE_RATE)
    return launch(
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={path}",
    )


def listen(page, n_answers):
    """Starts the microphone; returns the first answers."""
    page.click("#microphone")
    page.wait_for_selector("body[data-state=heard]")
    for _ in range(1200):
        if page.evaluate("answers.length") >= n_answers:
            break
        page.wait_for_timeout(100)
    return [heard(page, index) for index in range(n_answers)]


def likeness(window, sound):
    """How like a sound a window is: the median, over its fifths, of each one's highest
    correlation with any part of the sound. Where the file begins again Chromium is
    silent for 30 ms, and a busy machine's drops 10 ms now and then: such spoil a fifth
    or two, and put those behind them elsewhere than the sound has them."""
    return np.median(
        [highest_correlation(fifth, sound) for fifth in np.split(window, 5)]
    )


def highest_correlation(part, sound):
    products = np.correlate(sound, part, "valid")
    squares = np.convolve(sound**2, np.ones(part.size), "valid")
    return np.max(np.abs(products) / np.sqrt(squares * np.sum(part**2)))


def check(answers, artifact, sound, other):
    """The answers are LiteRT's, to the sound that was played."""
    model = open_artifact(artifact)
    for answer in answers:
        assert answer["source"] == "microphone"
        assert answer["waveform"].shape == (WINDOW_SAMPLES,)
        assert likeness(answer["waveform"], sound) > 0.97
        assert likeness(answer["waveform"], other) < 0.3
        window = np.float32(answer["waveform"])[None]
        (probabilities,) = model.runner.probabilities(window)[""]
        np.testing.assert_allclose(answer["probabilities"], probabilities, atol=1e-3)
    assert np.ptp([a["probabilities"] for a in answers], axis=0).max() > 0.01


def test_it_answers_to_what_the_microphone_hears(
    open_page, talking, artifact, sound, other
):
    page = open_page(talking)
    check(listen(page, 12), artifact, sound, other)
    assert page.inner_text("#status") == "Listening: the scores are of the last 0.5 s."
    assert page.inner_text("#microphone") == "Stop"
    # Few labels keep their places, and the picture is of 5 s, 10 ms a column.
    assert page.locator(".label").all_inner_texts() == list(LABELS)
    assert page.evaluate("[picture.width, picture.height]") == [500, 6]


def test_the_windows_follow_each_other_without_a_gap(open_page, talking):
    answers = listen(open_page(talking), 12)
    steps = [80 * answer["newFrames"] for answer in answers[1:]]
    # The newest window: where the machine is slow, some are left out.
    assert all(step > 0 and step % (SAMPLE_RATE // 10) == 0 for step in steps)
    overlapping = [index for index, step in enumerate(steps) if step < WINDOW_SAMPLES]
    assert overlapping
    for index in overlapping:
        before, after = answers[index]["waveform"], answers[index + 1]["waveform"]
        np.testing.assert_array_equal(after[: -steps[index]], before[steps[index] :])


def test_the_picture_moves_along(open_page):
    # Features whose every value tells its frame; the last 3 of a window are wrong,
    # as those at the end of a waveform are.
    values = open_page().evaluate(
        """async () => {
          const {RollingFeatures} = await import("./picture.js");
          const rolling = new RollingFeatures(80, 3);
          const window = (end) => Float32Array.from(
            {length: 2 * 50},
            (_, i) => (i >= 2 * 47 ? -1 : 2 * (end - 50) + i),
          );
          let shown = 0;
          for (const end of [50, 60, 70, 95, 105]) {
            rolling.push({values: window(end), frames: 50, filters: 2}, end - shown);
            shown = end;
          }
          return [...rolling.values];
        }"""
    )
    expected = np.arange(2 * (105 - 80), 2 * 105)
    expected[-6:] = -1
    np.testing.assert_array_equal(values, expected)


def test_it_stops(open_page, talking):
    page = open_page(talking)
    listen(page, 1)
    page.click("#microphone")
    assert page.inner_text("#status").startswith("Stopped.")
    assert page.inner_text("#microphone") == "Microphone"
    count = page.evaluate("answers.length")
    page.wait_for_timeout(500)
    assert page.evaluate("answers.length") == count
    assert page.locator(".best").is_visible()  # the last scores stay


def test_a_browser_that_does_not_resample_microphones(
    open_page, talking, artifact, sound, other
):
    # As Firefox: a source of another rate than the context's is refused.
    refusing = """
      const create = AudioContext.prototype.createMediaStreamSource;
      const rate = new AudioContext().sampleRate;
      AudioContext.prototype.createMediaStreamSource = function (stream) {
        if (this.sampleRate !== rate) throw new DOMException("", "NotSupportedError");
        return create.call(this, stream);
      };
    """
    page = open_page(talking, prepare=lambda page: page.add_init_script(refusing))
    check(listen(page, 8), artifact, sound, other)


def test_a_visitor_who_refuses_is_told_how_to_allow_it(open_page, launch):
    # With a microphone, and nobody at the screen who allows it.
    page = open_page(launch("--use-fake-device-for-media-stream"))
    page.click("#microphone")
    page.wait_for_selector("#status[data-mood=error]")
    assert "not allowed for this page. Allow it" in page.inner_text("#status")
    assert page.inner_text("#microphone") == "Microphone"


def test_a_page_that_browsers_do_not_trust_with_a_microphone(
    open_page, launch, address
):
    # Neither https nor localhost, by its name.
    browser = launch("--host-resolver-rules=MAP page.test 127.0.0.1")
    page = open_page(browser, at=address.replace("localhost", "page.test"))
    page.click("#microphone")
    page.wait_for_selector("#status[data-mood=error]")
    assert "pages from https or from this same machine" in page.inner_text("#status")


def test_audio_that_does_not_start_is_told(open_page, talking):
    # As in Firefox on a machine without an audio output.
    waiting = "AudioContext.prototype.resume = () => new Promise(() => {});"
    page = open_page(talking, prepare=lambda page: page.add_init_script(waiting))
    page.click("#microphone")
    page.wait_for_selector("#status[data-mood=error]")
    assert "connect a loudspeaker" in page.inner_text("#status")
    assert page.inner_text("#microphone") == "Microphone"
