import pytest

from benchmarks.suite_data.drums import kind_of


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("clap", ["Hand Clap", "Amp_Clap_1.flac", "HandClap-Soft.wav"]),
        (
            "crash",
            ["Crash/Ride Bell (Rude 18)", "Splash", "China-0.wav", "crash16inch"],
        ),
        ("ride", ['Ride (Custom, Zagrebin 22")', "f3 - ride bell", "RideBow-1.wav"]),
        ("kick", ["Kick", "BassDrum", "c3 - bass drum 1", "bassdrum-4mics.flac"]),
        ("snare", ["Snare Rimshot", "PearlSnare-Med.wav", "VariBreaks Snare 2"]),
        ("tom", ["Floor Tom", "TomLow-0.wav", "b3 - low tom", "tom-hi-1.flac"]),
        ("hihat_open", ["Hat Op Dirty", "Hard_Hse_OHH_1", "Hat Semi-Open", "Open HH"]),
        (
            "hihat_closed",
            [
                "Closed HH 1",
                "FX_Chh_01.flac",
                "HatPedal-Soft",
                "HiHatFoot-0",
                "Hat 1 Cl",
            ],
        ),
        # A cymbal is no ride, nor what is customised a tom; some hats may be either.
        (None, ["Stick", "Conga 1", "cymbal 1", "Hat Ring 1", "Custom", "Side HH", ""]),
    ],
)
def test_kinds_by_name(kind, names):
    assert {name: kind_of(name) for name in names} == dict.fromkeys(names, kind)
