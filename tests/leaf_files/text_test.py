import json

import pytest

from leaf_files.errors import UserError
from leaf_files.json_files import read_json
from leaf_files.text import read_lines, read_table, read_text, require_utf8

TEXT = "größe,label\nключ,鍵\n"
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-32")


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_what_editors_write_is_one_text(tmp_path, encoding, end):
    path = tmp_path / "text.txt"
    path.write_bytes(TEXT.replace("\n", end).encode(encoding))
    assert read_text(path) == read_text(str(path)) == TEXT
    assert read_lines(path) == TEXT.splitlines()
    assert read_table(path) == [{"größe": "ключ", "label": "鍵"}]


@pytest.mark.parametrize("mark", ["big", "little"])
def test_utf_16_of_either_order(tmp_path, mark):
    path = tmp_path / "text.txt"
    path.write_bytes(f"\ufeff{TEXT}".encode(f"utf-16-{mark[0]}e"))
    assert read_text(path) == TEXT


@pytest.mark.parametrize("order", ["big", "little"])
@pytest.mark.parametrize("text", ["high\nlow\n", '{\n "epochs": 3}\n', "ab"])
def test_utf_16_without_a_mark(tmp_path, order, text):
    path = tmp_path / "text.txt"
    path.write_bytes(text.encode(f"utf-16-{order[0]}e"))
    assert read_text(path) == text
    path.write_bytes(b"a\0b\n\0\0c\n")
    assert read_text(path) == "a\0b\n\0\0c\n"


def test_a_table_may_say_its_separator_as_excel_does(tmp_path):
    path = tmp_path / "clips.csv"
    for line in ("sep=;", '"sep=;"'):
        path.write_text(f"{line}\r\nfile;label\r\na,b.wav;low\r\n", newline="")
        assert read_table(path) == [{"file": "a,b.wav", "label": "low"}]
    path.write_text("sep=\nlow\n")
    assert read_table(path) == [{"sep=": "low"}]


def test_json_that_says_one_thing_twice_is_refused(tmp_path):
    path = tmp_path / "config.json"
    path.write_text('{"epochs": 3, "seed": {"a": 1}, "epochs": 4}')
    with pytest.raises(ValueError, match="it gives 'epochs' more than once"):
        read_json(path)


def test_other_encodings_are_refused_with_the_byte(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(b"gr\xf6\xdfe\n")
    with pytest.raises(ValueError, match=r"no|not text in UTF-8 \(byte 3 of 6\).*save"):
        read_text(path)


def test_only_line_feeds_end_lines(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("a\x0cb\nc\u2028d\n\n", encoding="utf-8")
    assert read_lines(path) == ["a\x0cb", "c\u2028d", ""]
    path.write_text("")
    assert read_lines(path) == []


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_tables_of_spreadsheets(tmp_path, separator):
    path = tmp_path / "clips.csv"
    rows = ["file, label ", "a.wav, dog", "", '"b,;.wav",cat', "c.wav"]
    text = "\r\n".join(row.replace(",", separator, 1) for row in rows[:3])
    text += f'\r\n"b,;\t.wav"{separator}cat\r\nc.wav\r\n'
    path.write_bytes(text.encode("utf-8-sig"))
    assert read_table(path) == [
        {"file": "a.wav", "label": "dog"},
        {"file": "b,;\t.wav", "label": "cat"},
        {"file": "c.wav", "label": None},
    ]


def test_a_row_of_more_fields_than_columns_is_refused(tmp_path):
    path = tmp_path / "clips.csv"
    path.write_text("file,label\na.wav,dog,,\n")
    assert read_table(path) == [{"file": "a.wav", "label": "dog"}]
    path.write_text("file,label\na,b.wav,dog\n")
    with pytest.raises(ValueError, match="row 2 has 3 fields, the header 2; put"):
        read_table(path)


def test_an_empty_table_has_no_rows(tmp_path):
    path = tmp_path / "clips.csv"
    path.write_text("")
    assert read_table(path) == []
    path.write_text("\nfile,label\n")
    assert read_table(path) == []


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_json_in_what_windows_writes(tmp_path, encoding):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"größe": 1}, ensure_ascii=False), encoding=encoding)
    assert read_json(path) == {"größe": 1}


def test_a_path_that_is_no_utf_8_is_named():
    require_utf8("größe 鍵")
    with pytest.raises(UserError, match=r"'caf\\udce9' is not valid UTF-8"):
        require_utf8("caf\udce9")
