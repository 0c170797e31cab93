"""Ways to damage a file, drawn by a generator with a fixed seed."""

import io
import json
import zipfile

_EXTREMES = (b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\xff\xff\xff\x7f")


def cut(content, random):
    """Shorter, down to nothing."""
    return content[: random.randrange(len(content))]


def flip(content, random):
    """Some bits the other way."""
    content = bytearray(content)
    for _ in range(random.choice([1, 2, 8, 64])):
        content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    return bytes(content)


def header(content, random):
    """Numbers near the start that are huge, 0 or anything."""
    content = bytearray(content)
    for _ in range(random.choice([1, 2, 4])):
        place = random.randrange(min(len(content), 200))
        content[place : place + 4] = random.choice([*_EXTREMES, random.randbytes(4)])
    return bytes(content)


def insert(content, random):
    """Bytes that don't belong there."""
    place = random.randrange(len(content))
    garbage = random.randbytes(random.randrange(1, 300))
    return content[:place] + garbage + content[place:]


def blank(content, random):
    """Zeros over a part."""
    start = random.randrange(len(content))
    end = min(len(content), start + random.randrange(1, 500))
    return content[:start] + bytes(end - start) + content[end:]


def repeat(content, random):
    """The start, once more."""
    place = random.randrange(len(content))
    return content[:place] + content


def nothing(content, random):
    """Empty."""
    return b""


DAMAGES = (cut, flip, flip, header, header, insert, blank, repeat, nothing)


def damaged(content, random):
    """The bytes, damaged in one of these ways; and how."""
    while True:
        how = random.choice(DAMAGES)
        changed = how(content, random)
        if changed != content:  # zeros over zeros are no damage
            return changed, how.__name__


def damaged_member(archive, random):
    """A zip archive one of whose members is damaged, its checksum right; and how."""
    with zipfile.ZipFile(io.BytesIO(archive)) as before:
        members = {name: before.read(name) for name in before.namelist()}
    name = random.choice(sorted(members))
    members[name], how = damaged(members[name], random)
    return zipped(members), f"{how} {name}"


def zipped(members):
    """A zip archive of {name: bytes}."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as after:
        for name, content in members.items():
            after.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


VALUES = (
    None,
    True,
    [],
    {},
    [[]],
    {"class_name": "Lambda"},
    "",
    "x",
    "../../evil",
    "\ud800",
    0,
    -1,
    1.5,
    10**30,
    1e308,
    float("inf"),
    float("nan"),
    "9" * 5000,
)


def damaged_json(content, random):
    """JSON one of whose values is another one, or that is no object; and how."""
    value = json.loads(content)
    if random.random() < 0.1:
        deep = 100_000
        return random.choice(
            [b"null", b"[]", b"3", b'"x"', b"[" * deep, b'{"a":' * deep, b"1" * deep]
        ), "another document"
    places = list(_places(value))
    holder, key = random.choice(places)
    if random.random() < 0.2:
        del holder[key]
        how = f"without {key!r}"
    else:
        holder[key] = random.choice(VALUES)
        how = f"{key!r} is {str(holder[key])[:20]!r}"
    return json.dumps(value).encode("utf-8", "surrogatepass"), how


def _places(value):
    """Each (holder, key) in a value of lists and dicts."""
    keys = value if isinstance(value, dict) else range(len(value))
    for key in list(keys):
        yield value, key
        if isinstance(value[key], (dict, list)):
            yield from _places(value[key])
