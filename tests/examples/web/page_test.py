"""The page answers as LiteRT in Python does, and says what it lacks."""

import base64
import json

import numpy as np
import pytest
import soundfile
from ai_edge_litert.interpreter import Interpreter

from export.commands.predict import predict_clip
from export.contract.averaging import clip_probabilities
from export.runners.opening import open_artifact
from leaf_files.clips import read_clip
from leaf_files.decisions import NONE_OF_THESE
from leaf_files.windows import cut_windows
from tests.examples.web.conftest import LABELS, WINDOW_SAMPLES, heard, tone
from tests.export.models import N_FILTERS, SAMPLE_RATE

pytestmark = pytest.mark.browser


@pytest.fixture
def clip(tmp_path):
    """Writes an audio file; returns its path."""

    def write(name, waveform, rate=SAMPLE_RATE, **options):
        soundfile.write(tmp_path / name, waveform, rate, **options)
        return tmp_path / name

    return write


@pytest.fixture(scope="module")
def model(artifact):
    return open_artifact(artifact)


def choose(page, path):
    """Gives the page a file, as a visitor does; returns its answer."""
    count = page.evaluate("answers.length")
    page.set_input_files("#file", path)
    page.wait_for_selector("body[data-state=heard]")
    assert page.evaluate("answers.length") == count + 1
    return heard(page)


def predicted(model, path):
    """What `python -m export predict` answers, in the order of the labels."""
    answer = predict_clip(model, path, len(LABELS))["labels"]
    by_label = {entry["label"]: entry["probability"] for entry in answer}
    return np.array([by_label[label] for label in LABELS])


FILES = {
    "three windows and a bit.wav": (tone(1.73), {}),
    "a window.wav": (tone(0.5), {}),
    "loud.wav": (np.clip(3 * tone(0.6), -1, 1), {}),
    "quiet.wav": (0.005 * tone(0.6), {}),
    "odd.flac": (tone(0.987625), {}),
    "ten samples.wav": (tone(0.00125), {}),
    "24 bit.wav": (tone(0.8), {"subtype": "PCM_24"}),
    "float.wav": (tone(0.8), {"subtype": "FLOAT"}),
    "stereo.wav": (np.stack([tone(1.2), tone(1.2)[::-1]], axis=1), {}),
    "silence.wav": (np.zeros(SAMPLE_RATE), {}),
}


def test_files_of_the_models_rate_are_answered_as_predict_does(open_page, model, clip):
    page = open_page()
    for name, (waveform, options) in FILES.items():
        path = clip(name, waveform, **options)
        answer = choose(page, path)
        exact, _ = read_clip(path)
        np.testing.assert_array_equal(answer["waveform"], exact, err_msg=name)
        np.testing.assert_allclose(
            answer["probabilities"], predicted(model, path), atol=1e-5, err_msg=name
        )


def test_a_file_of_another_rate_is_resampled(open_page, model, clip):
    def tones(rate):
        t = np.arange(rate) / rate
        return 0.3 * np.sin(2 * np.pi * 500 * t) + 0.2 * np.sin(2 * np.pi * 1500 * t)

    stereo = np.stack([1.5 * tones(44100), 0.5 * tones(44100)], axis=1)
    answer = choose(open_page(), clip("tones.wav", stereo, 44100))
    expected = tones(SAMPLE_RATE)
    assert answer["waveform"].shape == expected.shape
    # Chromium's short filter is off by 3 %, and reaches beyond the ends.
    inside = slice(10, -10)
    np.testing.assert_allclose(answer["waveform"][inside], expected[inside], atol=0.01)
    probabilities = predicted(model, clip("same.wav", expected))
    np.testing.assert_allclose(answer["probabilities"], probabilities, atol=0.02)


def test_what_is_seen_is_what_was_answered(open_page, model, clip):
    page = open_page()
    path = clip("rising.wav", tone(1.73))
    choose(page, path)
    probabilities = predicted(model, path)
    order = np.argsort(-probabilities)
    assert page.inner_text(".best") == LABELS[order[0]]
    assert page.inner_text("#status") == "rising.wav, 1.73 s, 4 windows averaged."
    assert page.locator(".label").all_inner_texts() == [LABELS[i] for i in order]
    values = page.locator(".value").all_inner_texts()
    shown = np.array([float(value.rstrip("%")) / 100 for value in values])
    np.testing.assert_allclose(shown, probabilities[order], atol=6e-4)
    track = page.locator(".track").first.bounding_box()["width"]
    bars = page.locator(".bar").all()
    page.evaluate(  # the bars grow
        "Promise.all(document.getAnimations().map((animation) => animation.finished))"
    )
    widths = [bar.bounding_box()["width"] / track for bar in bars]
    np.testing.assert_allclose(widths, probabilities[order], atol=5e-3)


def pixels(page):
    """The picture's brightness, (filters from high to low, columns)."""
    rows, columns, values = page.evaluate(
        """() => {
          const {width, height} = picture;
          const image = picture.getContext("2d").getImageData(0, 0, width, height);
          return [height, width, [...image.data]];
        }"""
    )
    return np.reshape(values, (rows, columns, 4))[..., :3].sum(axis=-1)


def test_the_picture_is_of_the_features(open_page, artifact, clip):
    page = open_page()
    path = clip("a window.wav", tone(0.5))
    features = choose(page, path)["features"]
    frontend = Interpreter(str(artifact / "frontend.tflite"))
    waveform, _ = read_clip(path)
    ((_, expected),) = frontend.get_signature_runner()(waveform=waveform[None]).items()
    assert features.shape == (WINDOW_SAMPLES // 80, N_FILTERS)
    np.testing.assert_allclose(features, expected[0], atol=1e-3)
    # Each pixel is as bright as its feature is large, between the ends of the colors.
    brightness = pixels(page)[::-1].T
    low, high = np.quantile(features, [0.02, 0.99])
    between = (features > low) & (features < high)
    ranks = brightness[between][np.argsort(features[between])]
    assert np.all(np.diff(ranks) >= -3) and np.ptp(ranks) > 300


def test_the_picture_has_hz_beside_it(open_page, artifact):
    page = open_page()
    report = json.loads((artifact / "report.json").read_text())
    centers = report["artifacts"]["frontend"]["center_freqs_hz"]
    assert page.inner_text("#axis") == "center frequency, Hz"
    labels = page.locator("#frequencies span").all()
    shown = [float(label.inner_text()) for label in labels]
    assert shown[0] == round(centers[0]) and shown[-1] == round(centers[-1])
    # Each is written beside the middle of its filter's row.
    frame = page.locator(".frame").bounding_box()
    box = labels[-1].bounding_box()
    middle = (box["y"] + box["height"] / 2 - frame["y"]) / frame["height"]
    assert middle == pytest.approx(0.5 / len(centers), abs=0.02)


def test_the_windows_of_a_long_clip_lie_where_they_were_heard(open_page, clip):
    beep = np.where(np.arange(14000) // 800 == 10, tone(1.75), 0.0)
    page = open_page()
    features = choose(page, clip("beep.wav", beep))["features"]
    assert len(features) == 175
    energy = pixels(page).sum(axis=0)
    assert energy.shape == (175,)
    assert energy[100:108].min() > energy[:97].max()  # from 1.0 s on


def test_the_same_windows_and_means_as_in_python(open_page, rng):
    page = open_page()
    sizes = [(int(n), int(w)) for n, w in rng.integers(1, 3000, (300, 2))]
    starts = page.evaluate(
        """async (sizes) => {
          const {cutWindows} = await import("./windows.js");
          return sizes.map(([samples, length]) => {
            const waveform = Float32Array.from({length: samples}, (_, i) => i + 1);
            return cutWindows(waveform, length).map((window) => [
              window.start, window.samples[0], window.samples.at(-1),
              window.samples.length,
            ]);
          });
        }""",
        sizes,
    )
    for (samples, length), cut in zip(sizes, starts):
        expected = cut_windows(np.arange(1, samples + 1), length)
        found = [(first, last, n) for _, first, last, n in cut]
        assert found == [(w[0], w[-1], length) for w in expected]
        if samples >= length:
            assert [start + 1 for start, *_ in cut] == expected[:, 0].tolist()

    logits = rng.normal(0, 30, (5, 4, 7))
    odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
    softmax = np.float32(odds / odds.sum(axis=-1, keepdims=True))
    sigmoid = np.float32(1 / (1 + np.exp(-logits)))
    for activation, clips in (("softmax", softmax), ("sigmoid", sigmoid)):
        means = page.evaluate(
            """async ([clips, activation]) => {
              const {clipProbabilities} = await import("./windows.js");
              return clips.map((clip) => [...clipProbabilities(clip, activation)]);
            }""",
            [clips.tolist(), activation],
        )
        expected = [clip_probabilities(c, activation) for c in clips]
        np.testing.assert_allclose(means, expected, rtol=1e-9, atol=1e-300)


def test_an_export_without_a_frontend_file_still_has_scores(open_page, model, clip):
    def without(page):
        page.route("**/frontend.tflite", lambda route: route.fulfill(status=404))

    page = open_page(prepare=without)
    assert "no frontend.tflite" in page.inner_text("#status")
    path = clip("tone.wav", tone(0.7))
    answer = choose(page, path)
    assert answer["features"] is None
    np.testing.assert_allclose(
        answer["probabilities"], predicted(model, path), atol=1e-3
    )
    assert not page.locator("#picture").is_visible()


def answering_with(report):
    """Has the page find another report."""
    return lambda page: page.route(
        "**/report.json", lambda route: route.fulfill(json=report)
    )


def test_several_tasks_and_several_labels_a_clip(open_page, artifact, clip):
    # The same model, as if it told two tasks apart; the second with any number of
    # labels, whose probabilities don't add up to 1.
    report = json.loads((artifact / "report.json").read_text())
    (head,) = report["heads"]
    report["heads"] = [
        {**head, "name": "wind"},
        {**head, "name": "road", "activation": "sigmoid"},
    ]
    page = open_page(prepare=answering_with(report))
    wind = choose(page, clip("tone.wav", tone(0.5)))["probabilities"]
    assert page.locator(".head-name").all_inner_texts() == ["wind", "road"]
    above = [label for label, p in zip(LABELS, wind) if p >= 0.5]
    best = page.locator(".best").all_inner_texts()
    assert best == [LABELS[wind.argmax()], ", ".join(above) or NONE_OF_THESE]


# A model whose activations are quantized rounds them, and XNNPACK in WebAssembly adds
# in another order than XNNPACK in Python does.
KINDS = {
    "model.tflite": 1e-5,
    "model_float16.tflite": 1e-5,
    "model_dynamic.tflite": 5e-3,
    "model_int8.tflite": 1e-3,
}


def test_each_kind_of_the_model_answers_as_in_python(open_page, artifact, clip):
    page = open_page()
    assert page.locator("#files option").all_inner_texts() == list(KINDS)
    paths = [clip(f"{s}.wav", tone(s)) for s in (0.3, 0.5, 0.8, 1.1)]
    answers = {}
    for kind, tolerance in KINDS.items():
        if page.input_value("#files") != kind:
            with page.expect_navigation():
                page.select_option("#files", kind)
            page.wait_for_selector("body[data-state=ready]")
        assert page.input_value("#files") == kind
        answers[kind] = [choose(page, path)["probabilities"] for path in paths]
        model = open_artifact(artifact / kind)
        expected = [predicted(model, path) for path in paths]
        np.testing.assert_allclose(
            answers[kind], expected, atol=tolerance, err_msg=kind
        )
    assert not np.array_equal(answers["model.tflite"], answers["model_int8.tflite"])


def test_many_labels_are_ranked_and_cut(open_page, artifact, clip):
    # The model has four outputs; this page has a head of 30 of its own.
    page = open_page()
    page.evaluate(
        """async () => {
          const {Scores} = await import("./scores.js");
          const labels = Array.from({length: 30}, (_, i) => `label ${i}`);
          document.body.dataset.state = "heard";
          const head = {name: "", labels, activation: "softmax"};
          const scores = new Scores(document.getElementById("scores"), head);
          scores.show(labels.map((_, i) => i / 435), false);
        }"""
    )
    shown = page.locator(".score:visible .label")
    ranked = [f"label {i}" for i in range(29, -1, -1)]
    assert shown.all_inner_texts() == ranked[:10]
    page.click("text=Show all 30 labels")
    assert shown.all_inner_texts() == ranked
    page.click("text=Show the best 10")
    assert shown.count() == 10


def error_of(page, *parts):
    """Asserts that the page shows a mistake that the visitor can understand."""
    page.wait_for_selector("#status[data-mood=error]")
    message = page.inner_text("#status")
    assert all(part in message for part in parts), message
    assert "page itself" not in message
    assert page.evaluate("answers.length") == 0


WRONG_FILES = {
    "text.wav": (b"these are words", "text.wav is not audio that this browser can"),
    "empty.flac": (b"", "empty.flac is empty"),
    "picture.png": (b"\x89PNG\r\n\x1a\n" + bytes(99), "picture.png is not audio"),
}


def test_a_wrong_file_is_refused_and_the_next_one_heard(open_page, clip, tmp_path):
    page = open_page()
    for name, (content, message) in WRONG_FILES.items():
        (tmp_path / name).write_bytes(content)
        page.set_input_files("#file", tmp_path / name)
        error_of(page, message)
        page.evaluate("document.getElementById('status').dataset.mood = ''")
    choose(page, clip("tone.wav", tone(0.5)))
    assert page.inner_text("#status") == "tone.wav, 0.5 s, 1 window."


# As a visitor's mouse drops a file of base64 content, or words where there is none.
DROP = """(content) => {
  const dataTransfer = new DataTransfer();
  if (content) {
    const bytes = Uint8Array.from(atob(content), (byte) => byte.charCodeAt(0));
    dataTransfer.items.add(new File([bytes], "dropped.wav"));
  } else {
    dataTransfer.setData("text/plain", "words");
  }
  for (const type of ["dragover", "drop"]) {
    const options = {dataTransfer, bubbles: true, cancelable: true};
    document.querySelector("main").dispatchEvent(new DragEvent(type, options));
  }
}"""


def content_of(path):
    return base64.b64encode(path.read_bytes()).decode()


def test_dropped_files(open_page, clip):
    page = open_page()
    page.evaluate(DROP, None)
    error_of(page, "That was no file")
    page.evaluate(DROP, content_of(clip("tone.wav", tone(0.5))))
    page.wait_for_selector("body[data-state=heard]")
    assert page.inner_text("#status") == "dropped.wav, 0.5 s, 1 window."


def test_the_last_file_wins(open_page, clip):
    page = open_page()
    contents = [content_of(clip("clip.wav", tone(s))) for s in (60, 20, 0.5)]
    page.evaluate(
        f"""async (contents) => {{
          const drop = {DROP};
          drop(contents[0]);
          await new Promise((resolve) => {{  // until it is at work on the first
            const status = document.getElementById("status");
            new MutationObserver((_, observer) => {{
              if (!status.textContent.includes("Window")) return;
              observer.disconnect();
              resolve();
            }}).observe(status, {{childList: true}});
          }});
          drop(contents[1]);
          drop(contents[2]);
        }}""",
        contents,
    )
    page.wait_for_selector("body[data-state=heard]")
    page.wait_for_timeout(500)
    assert heard(page)["waveform"].size == WINDOW_SAMPLES
    assert page.evaluate("answers.length") == 1
    assert page.inner_text("#status") == "dropped.wav, 0.5 s, 1 window."


def missing(pattern):
    return lambda page: page.route(pattern, lambda route: route.fulfill(status=404))


def damaged(pattern, body=b"hello"):
    return lambda page: page.route(pattern, lambda route: route.fulfill(body=body))


@pytest.mark.parametrize(
    "prepare, parts",
    [
        (missing("**/model.tflite"), ["no model.tflite", "python -m export", "serve"]),
        (missing("**/report.json"), ["no report.json", "python -m export", "serve"]),
        (missing("**/@litertjs/**"), ["LiteRT.js", "npm install"]),
        (missing("**/*.wasm"), ["LiteRT.js", "npm install"]),
        (damaged("**/report.json"), ["not a report of python -m export"]),
        (damaged("**/report.json", b"[]"), ["not a report of python -m export"]),
        (damaged("**/model.tflite"), ["model.tflite is damaged"]),
        (damaged("**/frontend.tflite"), ["frontend.tflite is damaged"]),
    ],
)
def test_what_is_missing_or_damaged_is_named(open_page, prepare, parts):
    page = open_page(prepare=prepare)
    error_of(page, *parts)
    assert page.locator("#file").is_disabled()
    assert page.locator("#microphone").is_disabled()


def test_a_report_of_another_model_is_refused(open_page, artifact):
    report = json.loads((artifact / "report.json").read_text())
    window = {**report, "window_samples": 8000}
    labels = {**report, "heads": [{**report["heads"][0], "labels": ["a", "b"]}]}
    for other in (window, labels):
        error_of(open_page(prepare=answering_with(other)), "different models")


def test_a_browser_without_webassembly_is_told(launch, open_page):
    page = open_page(launch("--js-flags=--jitless"))
    error_of(page, "does not offer WebAssembly", "current browser")


def test_a_machine_without_a_microphone_is_told(open_page):
    page = open_page()
    page.click("#microphone")
    error_of(page, "There is no microphone. Connect one")


def test_it_talks_to_its_own_server_alone(open_page, address, clip):
    asked = []

    def listen(page):
        page.on("request", lambda request: asked.append((request.method, request.url)))

    page = open_page(prepare=listen)
    choose(page, clip("tone.wav", tone(1.2)))
    page.wait_for_timeout(300)
    others = [url for _, url in asked if not url.startswith((address, "blob:"))]
    assert not others and {method for method, _ in asked} == {"GET"}
    # Nor could it: the browser was told not to let it.
    elsewhere = address.replace("localhost", "127.0.0.1")
    refused = page.evaluate(
        "(url) => fetch(url, {mode: 'no-cors'}).then(() => false, () => true)",
        elsewhere,
    )
    assert refused


@pytest.mark.parametrize("width, height", [(320, 640), (390, 844), (1280, 800)])
def test_nothing_is_cut_off(open_page, clip, width, height):
    page = open_page(viewport={"width": width, "height": height})
    choose(
        page, clip("a name that is longer than most of them" * 2 + ".wav", tone(0.5))
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    picture = page.locator("#picture").bounding_box()
    assert picture["width"] > 0.6 * min(width, 760) and picture["height"] > 150
    assert (
        page.locator("#picture").evaluate("(e) => e.getBoundingClientRect().bottom")
        < height
    )


def test_it_is_worked_by_the_keyboard(open_page):
    page = open_page()
    reached = []
    for _ in range(4):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
    assert reached == ["files", "file", "microphone", "example"]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    error_of(page, "There is no microphone")
