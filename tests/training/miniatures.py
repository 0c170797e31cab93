"""Small archives in the layouts of the original data sets.

`ready(data_dir, names)` puts them where TFDS looks before it downloads, and runs the
real builders on them. A clip is a tone in noise whose pitch tells its class, so that a
small model can learn each of the tasks.
"""

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path
from unittest import mock

import numpy as np
import soundfile

_LOWEST, _HIGHEST = 150.0, 3500.0  # Hz, tones of the first and of the last class

DIGIT_SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo")
COMMANDS = ("down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes")
WORDS = (
    *("backward", "bed", "bird", "cat", "dog", "down", "eight", "five", "follow"),
    *("forward", "four", "go", "happy", "house", "learn", "left", "marvin", "nine"),
    *("no", "off", "on", "one", "right", "seven", "sheila", "six", "stop", "three"),
    *("tree", "two", "up", "visual", "wow", "yes", "zero"),
)
PER_WORD = 4
EMOTIONS = ("NEU", "HAP", "SAD", "ANG", "FEA", "DIS")
ACTORS = tuple(range(1001, 1013))
LANGUAGES = ("de", "en", "es", "fr", "it", "ru")
VOLUNTEERS = tuple(f"speaker{n:02d}" for n in range(12))
CELEBRITIES = ("id10001", "id10002", "id10309", "id11251")
FAMILIES = (
    *("bass", "brass", "flute", "guitar", "keyboard", "mallet", "organ"),
    *("reed", "string", "synth_lead", "vocal"),
)
NOTES = {"train": 4, "valid": 1, "test": 2}  # of each family
N_INSTRUMENTS = 1006
TUT_CITIES = ("barcelona", "helsinki", "london", "paris", "stockholm", "vienna")
TUT_SEGMENTS = tuple((n, segment) for n in range(6) for segment in range(2))
BIRD_CLIPS = 40  # of each of three sets
AUDIOSET_SEGMENTS = {"balanced_train": 40, "unbalanced_train": 20, "eval": 20}
# The eight of the paper.
PAPER = (
    *("tut_urban", "birdsong", "crema_d", "voxceleb", "nsynth_instrument"),
    *("nsynth_pitch", "speech_commands", "voxforge"),
)


def ready(data_dir, names=None):
    """Makes the data of tasks ready in a data folder, from small archives.

    Args:
        data_dir: Folder of TFDS.
        names: Of tasks; defaults to all that have an archive.

    Returns:
        {task: its `TaskData`}.
    """
    from training.tasks.builders import sources
    from training.tasks.registry import get_task

    names = tuple(names or MAKERS)
    for make in dict.fromkeys(MAKERS[name] for name in names):
        make(Path(data_dir))
    # The MD5s are those of the originals.
    with mock.patch.object(sources, "require_original"):
        return {name: get_task(name).load(data_dir) for name in names}


def sound(place, n_places, seed, seconds=0.4, sample_rate=16000, channels=1):
    """A tone in noise, in steps of 16 bit.

    Args:
        place: Index of the class, which is heard as a pitch.
        n_places: Number of classes.
        seed: Ints; another one gives another phase, level and noise.

    Returns:
        (samples,) or (samples, channels), float64, in multiples of 1 / 32768.
    """
    random = np.random.default_rng([place, *np.ravel(seed)])
    samples = int(seconds * sample_rate)
    share = place / max(1, n_places - 1)
    frequency = _LOWEST * (_HIGHEST / _LOWEST) ** share
    phase = 2 * np.pi * (frequency * np.arange(samples) / sample_rate + random.random())
    waveform = random.uniform(0.1, 0.5) * np.sin(phase)
    shape = samples if channels == 1 else (samples, channels)
    waveform = waveform if channels == 1 else waveform[:, None]
    return np.round(32768 * (waveform + random.uniform(-0.05, 0.05, shape))) / 32768


def encoded(waveform, sample_rate=16000, kind="WAV", subtype="PCM_16"):
    """The bytes of an audio file."""
    file = io.BytesIO()
    soundfile.write(file, waveform, sample_rate, format=kind, subtype=subtype)
    return file.getvalue()


def tar(members, mode="w:gz"):
    """The bytes of a tar archive of {name: content}."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def zipped(members):
    """The bytes of a zip archive of {name: content}."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def place_download(data_dir, dataset, content, url=None, info=None):
    """Puts a file where TFDS looks before it downloads.

    TFDS trusts a file in `downloads/` under the name that it derives from the URL and
    its registered checksum, if an INFO file beside it records that checksum.

    Args:
        data_dir: Folder of TFDS.
        dataset: What TFDS calls the data set.
        content: Bytes.
        url: Defaults to the only one that the builder registers.
        info: `UrlInfo` of the URL. Defaults to the one that the builder registers.
    """
    import tensorflow_datasets as tfds
    from etils import epath
    from tensorflow_datasets.core.download import resource

    infos = tfds.builder_cls(dataset).url_infos
    if url is None:
        [url] = infos
    info = info or infos[url]
    downloads = epath.Path(data_dir) / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    path = downloads / resource.get_dl_fname(url, info.checksum)
    path.write_bytes(content)
    resource.write_info_file(
        url=url,
        path=path,
        dataset_name=dataset,
        original_fname=info.filename or url.rpartition("/")[-1],
        url_info=info,
    )


def place_by_hand(data_dir, name, content):
    """Puts a file into TFDS's folder for manual downloads."""
    path = Path(data_dir) / "downloads" / "manual" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def spoken_digit(data_dir, per_digit=2):
    """Recordings `{digit}_{speaker}_{index}.wav`, 8 kHz."""
    folder = "free-spoken-digit-dataset-1.0.9/recordings"
    clips = {
        f"{folder}/{digit}_{speaker}_{index}.wav": encoded(
            sound(digit, 10, (n, index), sample_rate=8000), 8000
        )
        for digit in range(10)
        for n, speaker in enumerate(DIGIT_SPEAKERS)
        for index in range(per_digit)
    }
    place_download(data_dir, "spoken_digit", tar(clips))


def speech_commands(data_dir):
    """Two archives: words with lists of what isn't trained on, and a test set.

    Of each word the first clip validates, the second tests.
    """
    words = {
        f"{word}/{index:08x}_nohash_0.wav": encoded(word_sound(word, index))
        for word in WORDS
        for index in range(PER_WORD)
    }
    noises = {
        f"_background_noise_/{name}.wav": encoded(sound(0, 1, seed, seconds=2.2))
        for seed, name in enumerate(("running_tap", "white_noise", "pink_noise"))
    }
    validation, testing = (
        [name for name in words if f"/{index:08x}_" in name] for index in (0, 1)
    )
    lists = {
        "validation_list.txt": "\n".join(validation).encode(),
        "testing_list.txt": "\n".join(testing).encode(),
    }
    tests = {name: words[name] for name in testing if name.split("/")[0] in COMMANDS}
    for index in range(2):
        tests[f"_silence_/{index}.wav"] = encoded(sound(0, 1, (9, index)))
        tests[f"_unknown_/{index}_nohash_0.wav"] = encoded(sound(1, 2, (9, index)))
    base = "http://download.tensorflow.org/data/speech_commands_"
    for url, members in (
        (f"{base}v0.02.tar.gz", {**lists, **noises, **words}),
        (f"{base}test_set_v0.02.tar.gz", tests),
    ):
        place_download(data_dir, "speech_commands", tar(members), url)


def word_sound(word, index):
    """What is in a clip of a word."""
    return sound(WORDS.index(word), len(WORDS), index)


def crema_d(data_dir):
    """A table of clips, one file a clip, and a list of their checksums."""
    import tensorflow_datasets as tfds
    from tensorflow_datasets.audio import crema_d as original
    from tensorflow_datasets.core.download import checksums

    def info(content):
        return checksums.UrlInfo(
            size=len(content),
            checksum=hashlib.sha256(content).hexdigest(),
            filename=None,
        )

    names = [
        f"{actor}_{sentence}_{emotion}_XX"
        for actor in ACTORS
        for sentence in ("DFA", "IEO")
        for emotion in EMOTIONS
    ]
    rows = ['"","FileName","VoiceVote"', *(f'"1","{name}","N"' for name in names)]
    files = {original.SUMMARY_TABLE_URL: "\n".join(rows).encode()}
    for seed, name in enumerate(names):
        place = EMOTIONS.index(name.split("_")[2])
        clip = encoded(sound(place, len(EMOTIONS), seed))
        files[f"{original.WAV_DATA_URL}{name}.wav"] = clip
    lines = []
    for url, content in files.items():
        place_download(data_dir, "crema_d", content, url, info(content))
        lines.append(f"{url} {len(content)} {info(content).checksum}\n")
    assert tfds.builder_cls("crema_d").url_infos.keys() == {original._CHECKSUMS_URL}
    place_download(data_dir, "crema_d", "".join(lines).encode())


def voxceleb(data_dir, videos=("1zcIwhmdeo4", "9mQ11vBs1wc", "7gWzIy6yIIk")):
    """An archive of `wav/{speaker}/{video}/{clip}.wav`, and the official split."""
    clips, rows = {}, []
    for place, speaker in enumerate(CELEBRITIES):
        for group, video in enumerate(videos, start=1):
            for index in range(1, 4):
                name = f"{speaker}/{video}/{index:05d}.wav"
                seed = (group, index)
                clips[f"wav/{name}"] = encoded(sound(place, len(CELEBRITIES), seed))
                rows.append(f"{group} {name}\n")
        rows.append(f"1 {speaker}/not_in_the_archive/00001.wav\n")
    place_by_hand(data_dir, "vox_dev_wav.zip", zipped(clips))
    place_download(data_dir, "voxceleb", "".join(rows).encode())


def voxforge(data_dir):
    """A list of archives, and the archives, one a speaker and language."""
    urls = []
    for place, language in enumerate(LANGUAGES):
        for n, speaker in enumerate(VOLUNTEERS):
            folder = f"{speaker}-20100101-abc"
            url = (
                f"www.repository.voxforge1.org/downloads/{language}/Trunk/Audio/Main/"
                f"16kHz_16bit/{folder}.tgz"
            )
            clip = encoded(sound(place, len(LANGUAGES), n))
            members = {
                f"{folder}/etc/README": b"about the speaker",
                f"{folder}/wav/{language}-0001.wav": clip,
            }
            place_by_hand(data_dir, url, tar(members))
            urls.append(f"{url}\n")
    place_download(data_dir, "voxforge", "".join(urls).encode())


def nsynth(data_dir):
    """An archive of TFRecords a split, and the list of instruments."""
    import tensorflow as tf

    base = "http://download.magenta.tensorflow.org/datasets/nsynth/nsynth-"
    instruments = [
        f"{FAMILIES[n % len(FAMILIES)]}_synthetic_{n:03d}" for n in range(N_INSTRUMENTS)
    ]
    labels = "".join(f"{name}\n" for name in instruments).encode()
    place_download(data_dir, "nsynth", labels, f"{base}instrument_labels.txt")

    def note(split, place, index):
        pitch = 24 + (7 * place + 12 * index) % 84
        waveform = sound(place, len(FAMILIES), (pitch, len(split)), seconds=4)
        return tf.train.Example(
            features=tf.train.Features(
                feature={
                    "note_str": _bytes(f"{instruments[place]}-{pitch:03d}-{split}"),
                    "audio": tf.train.Feature(
                        float_list=tf.train.FloatList(value=waveform)
                    ),
                    "pitch": _ints([pitch]),
                    "velocity": _ints([100]),
                    "instrument_str": _bytes(instruments[place]),
                    "instrument_family_str": _bytes(FAMILIES[place]),
                    "instrument_source_str": _bytes("synthetic"),
                    "qualities": _ints([0] * 10),
                }
            )
        ).SerializeToString()

    def _bytes(text):
        value = tf.train.BytesList(value=[text.encode()])
        return tf.train.Feature(bytes_list=value)

    def _ints(values):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    for split, n_notes in NOTES.items():
        path = Path(data_dir) / f"nsynth-{split}.tfrecord"
        with tf.io.TFRecordWriter(str(path)) as writer:
            for place in range(len(FAMILIES)):
                for index in range(n_notes):
                    writer.write(note(split, place, index))
        records = tar({path.name: path.read_bytes()}, mode="w")
        path.unlink()
        place_download(data_dir, "nsynth", records, f"{base}{split}.tfrecord.tar")


def tut_urban(data_dir):
    """Thirteen archives of segments, 24 bit, stereo, and one of lists."""
    from training.tasks.builders import tut_urban as original

    root = "TUT-urban-acoustic-scenes-2018-development"
    meta, train, test = ["filename\tscene_label\tidentifier\tsource_label"], [], []
    archives = [{} for _ in original.AUDIO]
    for place, scene in enumerate(original.SCENES):
        for n, segment in TUT_SEGMENTS:
            location = f"{TUT_CITIES[n % len(TUT_CITIES)]}-{6 * place + n}"
            name = f"audio/{scene}-{location}-{segment}-a.wav"
            meta.append(f"{name}\t{scene}\t{location}\ta")
            (test if n >= 4 else train).append(f"{name}\t{scene}")
            waveform = sound(place, 10, (n, segment), sample_rate=48000, channels=2)
            archives[(place + n) % len(archives)][f"{root}/{name}"] = encoded(
                waveform, 48000, subtype="PCM_24"
            )
    lists = {
        "meta.csv": meta,
        "evaluation_setup/fold1_train.txt": train,
        "evaluation_setup/fold1_evaluate.txt": test,
        "evaluation_setup/fold1_test.txt": [line.split("\t")[0] for line in test],
    }
    texts = {f"{root}/{name}": "\n".join(lines) for name, lines in lists.items()}
    place_by_hand(data_dir, original.META.name, zipped(texts))
    for source, members in zip(original.AUDIO, archives):
        place_by_hand(data_dir, source.name, zipped(members))


def birdsong(data_dir):
    """Three archives, each with a table of its clips."""
    from training.tasks.builders import birdsong as original

    for n, recordings in enumerate(original.SETS):
        rows, clips = ["itemid,datasetid,hasbird"], {}
        for index in range(BIRD_CLIPS):
            item = f"{n}{index:04d}"
            rows.append(f"{item},{recordings.name},{index % 2}")
            waveform = sound(index % 2, 2, (n, index), sample_rate=44100)
            clips[f"wav/{item}.wav"] = encoded(waveform, 44100)
        place_by_hand(data_dir, recordings.audio.name, zipped(clips))
        place_by_hand(data_dir, recordings.table.name, "\n".join(rows).encode())


def audioset(data_dir):
    """Lists of segments and a folder of clips, of which some are not there."""
    from training.tasks.builders import audio_set as original

    ids = [f"/m/0{index:03x}" for index in range(original.N_CLASSES)]
    rows = [f'{n},{ids[n]},"Sound, number {n}"' for n in range(original.N_CLASSES)]
    classes = "\n".join(["index,mid,display_name", *rows])
    place_by_hand(data_dir, "audioset/class_labels_indices.csv", classes.encode())
    for number, (split, n_segments) in enumerate(AUDIOSET_SEGMENTS.items()):
        lines = ["# Segments csv created for a test", f"# num_segs={n_segments}"]
        lines.append("# YTID, start_seconds, end_seconds, positive_labels")
        for index in range(n_segments):
            video, labels = f"{'_-YZ'[index % 4]}{number}{index:09d}", [index % 3]
            if index % 2:
                labels.append(3 + index % 5)
            mids = ",".join(ids[label] for label in labels)
            lines.append(f'{video}, 30.000, 40.000, "{mids}"')
            if index == 5:  # not to be had any more
                continue
            kind, subtype = (("WAV", "PCM_16"), ("FLAC", "PCM_24"))[index % 2]
            waveform = sum(sound(label, 8, (number, index)) / 2 for label in labels)
            name = (f"Y{video}", video, f"{video}_30000_40000")[index % 3]
            place_by_hand(
                data_dir,
                f"audioset/clips/{split}/{name}.{kind.lower()}",
                encoded(waveform, 16000, kind, subtype),
            )
        place_by_hand(
            data_dir,
            f"audioset/{split}_segments.csv",
            "\n".join(lines).encode(),
        )


# Task: what makes its archives.
MAKERS = {
    "spoken_digit": spoken_digit,
    "spoken_digit@speaker": spoken_digit,
    "speech_commands": speech_commands,
    "speech_commands_35": speech_commands,
    "voxceleb": voxceleb,
    "crema_d": crema_d,
    "voxforge": voxforge,
    "nsynth_instrument": nsynth,
    "nsynth_pitch": nsynth,
    "tut_urban": tut_urban,
    "birdsong": birdsong,
    "audioset": audioset,
    "audioset_balanced": audioset,
}
