"""Long files: the page finds the events that `export detect` finds, and draws them."""

import dataclasses
import json

import numpy as np
import pytest
import soundfile

from export.contract.heads import Head
from export.runners.opening import open_artifact
from export.runners.recordings import Settings, find_events
from leaf_files.decisions import NONE_OF_THESE, Decisions
from leaf_files.events import EventFinder, Rules
from leaf_files.windowing import Grid
from tests.examples.web.conftest import LABELS, WINDOW_SAMPLES, pages, tone
from tests.export.models import SAMPLE_RATE

pytestmark = pytest.mark.browser

SECONDS = 7.3

FIND = """async (cases) => {
  const {EventFinder} = await import("./events.js");
  return cases.map(({grid, rules, scores, samples}) => {
    // JSON has neither infinity nor NaN.
    const level = (value) => value ?? Infinity;
    const finder = new EventFinder(grid, {
      ...rules,
      levels: rules.levels.map(level),
      releases: rules.releases.map(level),
    });
    const found = scores.flatMap((row) => finder.hear(row.map((s) => s ?? NaN)));
    return [...found, ...finder.end(samples)];
  });
}"""


def random_case(rng):
    """A recording whose scores rise and fall, and rules of every kind."""
    window, hop = (int(n) for n in rng.integers(2, 2000, 2))
    n_windows, n_labels = (int(n) for n in rng.integers(1, (60, 5)))
    walk = np.cumsum(rng.normal(0, 0.8, (n_windows, n_labels)), axis=0)
    scores = 1 / (1 + np.exp(-walk))
    if rng.random() < 0.3:
        scores = scores.round(1)  # labels that are equally likely
    scores[rng.random(scores.shape) < 0.02] = np.nan
    levels = rng.uniform(0.3, 1.0, n_labels)
    levels[rng.random(n_labels) < 0.2] = np.inf
    n_samples = (n_windows - 1) * hop + int(rng.integers(1, window + 1))
    rules = Rules(
        levels=levels,
        releases=rng.uniform(0.3, 1.0) * levels,
        smoothing=int(rng.choice([1, 3, 5])),
        merge_samples=int(rng.choice([0, hop, 5 * hop])),
        least_samples=int(rng.choice([0, hop, 5 * hop])),
        lead_samples=int(rng.integers(0, window)),
        tail_samples=int(rng.integers(0, window)),
        one_label=bool(rng.random() < 0.5),
    )
    return Grid(window, hop), rules, scores, n_samples


def for_json(values):
    finite = np.isfinite(values)
    return np.where(finite, values, None).tolist()


def test_the_same_probabilities_have_the_same_events_as_in_python(one_page, rng):
    cases = [random_case(rng) for _ in range(300)]
    found = one_page.evaluate(
        FIND,
        [
            {
                "grid": {
                    "windowSamples": grid.window_samples,
                    "hopSamples": grid.hop_samples,
                },
                "rules": {
                    "levels": for_json(rules.levels),
                    "releases": for_json(rules.releases),
                    "smoothing": rules.smoothing,
                    "mergeSamples": rules.merge_samples,
                    "leastSamples": rules.least_samples,
                    "leadSamples": rules.lead_samples,
                    "tailSamples": rules.tail_samples,
                    "oneLabel": rules.one_label,
                },
                "scores": for_json(scores),
                "samples": n_samples,
            }
            for grid, rules, scores, n_samples in cases
        ],
    )
    n_events = 0
    for (grid, rules, scores, n_samples), events in zip(cases, found, strict=True):
        finder = EventFinder(grid, rules)
        expected = [event for row in scores for event in finder.hear(row)]
        expected += finder.end(n_samples)
        assert events == [dataclasses.asdict(event) for event in expected]
        n_events += len(expected)
    assert n_events > 300


HEADS = {
    "nothing chosen": Head("", LABELS, "softmax"),
    "several labels": Head("", LABELS, "sigmoid"),
    "chosen": Head(
        "",
        LABELS,
        "softmax",
        decisions=Decisions(2.0, {"east": 0.8}, none_below=0.4, background=("west",)),
    ),
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_grid_and_rules_are_those_of_detect(one_page, head):
    windows = [*range(1, 30), 8001, 16000]
    entry = {"labels": LABELS, "activation": head.activation, **head.decisions_entry}
    found = one_page.evaluate(
        """async ([head, windows]) => {
          const {gridOf, rulesOf} = await import("./events.js");
          return windows.map((window) => {
            const grid = gridOf(window);
            const rules = rulesOf(head, grid, 16000);
            const finite = (levels) => levels.map((l) => l === Infinity ? null : l);
            return {
              hop: grid.hopSamples,
              levels: finite(rules.levels),
              releases: finite(rules.releases),
              lead: rules.leadSamples,
              tail: rules.tailSamples,
              oneLabel: rules.oneLabel,
            };
          });
        }""",
        [entry, windows],
    )
    for window, theirs in zip(windows, found, strict=True):
        settings = Settings()
        grid = settings.grid(window)
        rules = settings.rules(head, grid, 16000)
        assert theirs == {
            "hop": grid.hop_samples,
            "levels": for_json(rules.levels),
            "releases": for_json(rules.releases),
            "lead": rules.lead_samples,
            "tail": rules.tail_samples,
            "oneLabel": rules.one_label,
        }


def test_a_recording_is_cut_as_by_detect(one_page, rng):
    sizes = [(int(n), int(w)) for n, w in rng.integers(1, 300, (100, 2))]
    found = one_page.evaluate(
        """async (sizes) => {
          const {cutGrid, gridOf} = await import("./events.js");
          return sizes.map(([samples, length]) => {
            const waveform = Float32Array.from({length: samples}, (_, i) => i + 1);
            const {count, window} = cutGrid(waveform, gridOf(length));
            return Array.from({length: count}, (_, index) => [...window(index)]);
          });
        }""",
        sizes,
    )
    for (samples, length), windows in zip(sizes, found, strict=True):
        grid = Settings().grid(length)
        batches = grid.cut([np.arange(1, samples + 1)])
        assert windows == np.concatenate(list(batches)).tolist()


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """Tones that come and go in noise: path."""
    path = tmp_path_factory.mktemp("recording") / "long.wav"
    gate = np.sin(2 * np.pi * np.arange(round(SECONDS * SAMPLE_RATE)) / 9000) > 0
    noise = np.random.default_rng(3).standard_normal(gate.size)
    pieces = np.concatenate([tone(0.9)] * 9)[: gate.size]
    soundfile.write(path, 0.6 * gate * pieces + 0.02 * noise, SAMPLE_RATE)
    return path


@pytest.fixture(scope="module")
def decided(artifact, recording):
    """An artifact that finds some events in the recording, and leaves gaps."""
    model = open_artifact(artifact)
    grid = Settings().grid(WINDOW_SAMPLES)
    waveform = np.float32(soundfile.read(recording)[0])
    windows = np.concatenate(list(grid.cut([waveform])))
    scores = model.runner.probabilities(windows)[""]
    share = {"north": 0.5, "south": 0.6, "east": 0.7}
    decisions = Decisions(
        thresholds={
            label: float(np.quantile(scores[:, LABELS.index(label)], q))
            for label, q in share.items()
        },
        background=("west",),
    )
    (head,) = model.heads
    heads = (dataclasses.replace(head, activation="sigmoid", decisions=decisions),)
    return dataclasses.replace(model, heads=heads)


@pytest.fixture(scope="module")
def drawn(chromium, address, artifact, recording, decided):
    """The page with the recording, the artifact's report saying what was decided."""
    report = json.loads((artifact / "report.json").read_text())
    (head,) = decided.heads
    report["heads"][0].update(activation=head.activation, **head.decisions_entry)
    with pages(chromium, address) as open_page:
        page = open_page(
            prepare=lambda page: page.route(
                "**/report.json", lambda route: route.fulfill(json=report)
            )
        )
        page.set_input_files("#file", recording)
        page.wait_for_selector("body[data-state=heard]")
        yield page


@pytest.fixture(scope="module")
def found(decided, recording):
    return find_events(decided, recording, Settings())


def test_a_long_file_has_the_events_of_detect(drawn, found):
    events = drawn.evaluate("answers.at(-1).events")
    assert len({event.label for event in found.events}) == 3
    assert [e["label"] for e in events] == [event.label for event in found.events]
    for name in ("start", "end", "score"):
        np.testing.assert_allclose(
            [e[name] for e in events],
            [getattr(event, name) for event in found.events],
            atol=2 / SAMPLE_RATE if name != "score" else 1e-5,
        )


def test_bars_lie_where_the_events_are_and_gaps_are_none_of_these(drawn, found):
    names = drawn.locator(".lane-name").all_inner_texts()
    labels = {event.label for event in found.events}
    assert names == [*filter(labels.__contains__, LABELS), NONE_OF_THESE]
    frame = drawn.locator(".frame").bounding_box()
    lanes = drawn.locator(".lane-track").all()
    for name, lane in zip(names[:-1], lanes):
        assert lane.bounding_box()["x"] == pytest.approx(frame["x"], abs=0.5)
        bars = [bar.bounding_box() for bar in lane.locator(".stretch").all()]
        events = [event for event in found.events if event.label == name]
        for bar, event in zip(bars, events, strict=True):
            start = (bar["x"] - frame["x"]) / frame["width"] * SECONDS
            width = bar["width"] / frame["width"] * SECONDS
            assert start == pytest.approx(event.start, abs=0.02)
            shortest = 2 / frame["width"] * SECONDS
            assert width == pytest.approx(
                max(event.end - event.start, shortest), abs=0.02
            )
    # Each moment is in an event, or in none of these.
    time = np.arange(0.005, SECONDS, 0.01)
    heard = np.zeros(time.size, bool)
    for event in found.events:
        heard |= (event.start <= time) & (time < event.end)
    gaps = drawn.evaluate(
        """async ([seconds]) => {
          const {gaps} = await import("./timeline.js");
          return gaps(answers.at(-1).events, seconds);
        }""",
        [SECONDS],
    )
    for start, end in gaps:
        inside = (start <= time) & (time < end)
        assert not heard[inside].any()
        heard |= inside
    assert heard.all() and gaps
    assert lanes[-1].locator(".stretch").count() == len(gaps)


def test_pointing_at_a_time_says_what_is_heard_there(drawn, found):
    frame = drawn.locator(".frame").bounding_box()

    def point(seconds):
        x = frame["x"] + frame["width"] * seconds / SECONDS
        drawn.mouse.move(x, frame["y"] + 20)
        return drawn.inner_text("#at"), drawn.inner_text("#when")

    average = drawn.inner_text(".scores")
    longest = max(found.events, key=lambda event: event.end - event.start)
    middle = (longest.start + longest.end) / 2
    said, when = point(middle)
    assert f"{longest.label} {100 * longest.score:.1f}".rstrip("0").rstrip(".") in said
    assert when == f"around 0:{middle:04.1f}"
    assert drawn.inner_text(".scores") != average
    gap = next(
        (a.end + b.start) / 2
        for a, b in zip(found.events, found.events[1:])
        if b.start - max(e.end for e in found.events if e.start <= a.start) > 0.1
    )
    assert NONE_OF_THESE in point(gap)[0]
    drawn.mouse.move(5, 5)
    assert drawn.inner_text("#when") == "on average"
    assert drawn.inner_text(".scores") == average


def test_looking_closer_shows_the_middle_half_and_back(drawn, found):
    def picture():
        return drawn.evaluate("[picture.width, picture.toDataURL()]")

    def bars():
        """(start, end) of the bars in sight, as shares of the frame."""
        frame = drawn.locator(".frame").bounding_box()
        boxes = drawn.locator(".lane:not(.is-none) .stretch:visible").all()
        boxes = [box.bounding_box() for box in boxes]
        return [
            tuple(
                (box["x"] - frame["x"] + w) / frame["width"] for w in (0, box["width"])
            )
            for box in boxes
        ]

    whole, everywhere = picture(), bars()
    drawn.click("#closer")
    first, last = 0.25 * SECONDS, 0.75 * SECONDS
    seen = [e for e in found.events if e.end >= first and e.start <= last]
    expected = sorted((2 * e.start / SECONDS - 0.5) for e in seen)
    assert sorted(start for start, _ in bars()) == pytest.approx(expected, abs=0.01)
    assert picture()[0] == pytest.approx(0.5 * SECONDS / 0.01, abs=1)  # 10 ms a frame
    times = drawn.locator("#times span").all_inner_texts()
    assert float(times[0].rstrip(" s")) >= first
    drawn.click("#earlier")
    assert drawn.locator("#earlier").is_disabled()
    drawn.click("#farther")
    assert drawn.locator("#farther").is_disabled()
    assert picture() == whole and bars() == everywhere
    drawn.mouse.move(5, 5)


def test_the_list_has_all_events_and_plays_them(drawn, found):
    drawn.click("#events summary")
    rows = drawn.locator(".event")
    assert rows.count() == len(found.events)
    assert drawn.inner_text("#events summary") == f"{len(found.events)} events"
    event = found.events[2]
    shown = rows.nth(2).inner_text()
    assert f"0:{event.start:05.2f} – 0:{event.end:05.2f}" in shown
    assert event.label in shown
    drawn.evaluate("player.play = () => {}")
    rows.nth(2).click()
    assert drawn.evaluate("player.currentTime") == pytest.approx(event.start, abs=1e-3)


def test_thresholds_are_shown(drawn, decided):
    thresholds = decided.heads[0].decisions.thresholds
    marks = drawn.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll(".score")].map(
          (row) => [
            row.querySelector(".label").textContent,
            row.querySelector(".threshold")?.style.left,
          ],
        ))"""
    )
    assert marks.pop("west") is None  # background: never
    for label, mark in marks.items():
        assert float(mark.rstrip("%")) / 100 == pytest.approx(
            thresholds[label], abs=1e-5
        )
    low, high = (f"{100 * f(thresholds.values()):.1f}" for f in (min, max))
    low, high = (n.rstrip("0").rstrip(".") for n in (low, high))
    rule = drawn.inner_text("#scores .rule")
    assert f"its own threshold on, {low}% to {high}%, as chosen in training" in rule
    assert f"west counts as {NONE_OF_THESE}" in rule
    assert NONE_OF_THESE in drawn.inner_text("#events-rule")


@pytest.mark.parametrize(
    "activation, decisions, words",
    [
        ("softmax", Decisions(), ["Always the likeliest label"]),
        ("sigmoid", Decisions(), [f"Each label from 50% on; else {NONE_OF_THESE}"]),
        (
            "softmax",
            Decisions(1.254, none_below=0.625),
            [
                f"from 62.5% on, as chosen in training; else {NONE_OF_THESE}.",
                "Calibrated by a temperature of 1.25.",
            ],
        ),
    ],
)
def test_how_it_decides_is_said_in_words(one_page, activation, decisions, words):
    head = Head("", LABELS, activation, decisions=decisions)
    said = one_page.evaluate(
        """async (head) => (await import("./decisions.js")).explained(head)""",
        {"labels": LABELS, "activation": activation, **head.decisions_entry},
    )
    assert all(word in said for word in words), said


def test_without_a_frontend_file_the_timeline_is_still_there(
    open_page, recording, artifact
):
    page = open_page(
        prepare=lambda page: page.route(
            "**/frontend.tflite", lambda route: route.fulfill(status=404)
        )
    )
    page.set_input_files("#file", recording)
    page.wait_for_selector("body[data-state=heard]")
    assert page.locator("#lanes").is_visible()
    assert not page.locator("#picture").is_visible()


def test_the_picture_of_a_long_file_is_no_wider_than_it_is_shown(open_page):
    page = open_page()
    # 10 minutes of 100 frames a second; one frame is loud.
    columns = page.evaluate(
        """async () => {
          const {Picture} = await import("./picture.js");
          document.body.dataset.state = "heard";
          const [frames, filters, loud] = [60000, 2, 41234];
          const values = new Float32Array(frames * filters);
          values[loud * filters] = values[loud * filters + 1] = 1;
          const canvas = document.getElementById("picture");
          new Picture(canvas).draw({values, frames, filters});
          const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, 1);
          const red = Array.from({length: canvas.width}, (_, i) => data[4 * i]);
          const most = Math.max(...red);
          return [canvas.clientWidth, canvas.width, red.indexOf(most), most > red[0]];
        }"""
    )
    shown, width, loudest, stands_out = columns
    assert width <= max(shown, 600) and stands_out
    assert loudest / width == pytest.approx(41234 / 60000, abs=0.002)


def test_the_colors_of_a_long_file_are_those_of_all_its_filters(one_page):
    # A filter that is still, and one that rises from 0 to 1.
    red = one_page.evaluate(
        """async () => {
          const {Picture} = await import("./picture.js");
          const [frames, filters] = [60000, 2];
          const values = new Float32Array(frames * filters);
          for (let i = 0; i < frames; i++) values[filters * i + 1] = i / frames;
          const canvas = document.createElement("canvas");
          new Picture(canvas).draw({values, frames, filters});
          const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, 1);
          return [0.3, 0.5, 0.7].map((x) => data[4 * Math.round(x * canvas.width)]);
        }"""
    )
    # They rise, and are not all the brightest.
    assert red[0] < red[1] < red[2] < 253


def test_round_times(one_page):
    times = one_page.evaluate(
        """async () => {
          const {roundTimes, clock} = await import("./axes.js");
          const texts = (...args) => roundTimes(...args).map(([, text]) => text);
          return [
            texts(0, 1.73, 700), texts(0, 12.5, 300), texts(0, 600, 300),
            texts(0, 5400, 350), texts(71.2, 74, 400), roundTimes(2, 6, 200),
            [clock(75.25, 2), clock(75.25), clock(59.999, 2), clock(3725.5, 1)],
          ];
        }"""
    )
    assert times == [
        ["0 s", "0.2 s", "0.4 s", "0.6 s", "0.8 s", "1 s", "1.2 s", "1.4 s", "1.6 s"],
        ["0 s", "5 s", "10 s"],
        ["0:00", "2:00", "4:00", "6:00", "8:00", "10:00"],
        ["0:00", "15:00", "30:00", "45:00", "1:00:00", "1:15:00", "1:30:00"],
        ["1:11.5", "1:12.0", "1:12.5", "1:13.0", "1:13.5", "1:14.0"],
        [[0, "2 s"], [0.5, "4 s"], [1, "6 s"]],
        ["1:15.25", "1:15", "1:00.00", "1:02:05.5"],
    ]


def test_a_short_file_has_no_timeline(drawn, recording, tmp_path):
    soundfile.write(tmp_path / "short.wav", tone(1.0), SAMPLE_RATE)
    drawn.set_input_files("#file", tmp_path / "short.wav")
    drawn.wait_for_selector("body[data-state=heard]")
    assert drawn.evaluate("answers.at(-1).events") is None
    assert not drawn.locator("#timeline").is_visible()
    assert not drawn.locator("#lanes").is_visible()
    assert drawn.inner_text("#when") == ""
    drawn.set_input_files("#file", recording)
    drawn.wait_for_selector("body[data-state=heard]")
    assert drawn.locator("#timeline").is_visible()
