import pytest

from leaf_files.errors import UserError
from leaf_files.labels import label_faults, read_labels, similar_labels, spelled_as


@pytest.mark.parametrize(
    "labels, fault",
    [
        (["a", "", " ", "b"], "2 blank (number 2, 3)"),
        (["a", "low ", " b"], "2 with a blank at an end ('low ', ' b')"),
        (["a", "a\tb"], r"line breaks or bytes that are no UTF-8 ('a\tb')"),
        (["a", "x\u2028y"], r"1 with control characters, line breaks"),
        (["a", "x\u0085y"], r"1 with control characters, line breaks"),
        (["a", "\ufeffb"], r"1 with control characters, line breaks"),
        (["a", "caf\udce9"], r"bytes that are no UTF-8 ('caf\udce9')"),
        (["a", "b", "a", "b", "c"], "2 given more than once ('a', 'b')"),
        (
            ["\xe9", "e\u0301"],
            r"1 in two Unicode forms of the same text ('\xe9' and 'e\u0301')",
        ),
        (list("aabbccdd"), "4 given more than once ('a', 'b', 'c', ...)"),
    ],
)
def test_what_cannot_be_labels_is_counted_and_named(labels, fault):
    [found] = label_faults(labels)
    assert fault in found
    assert found.isprintable()


def test_all_kinds_of_faults_are_told_at_once():
    assert len(label_faults(["", "a ", "b\x1b", "c", "c", "\xe9", "e\u0301"])) == 5


def test_labels_of_any_language_are_fine():
    labels = ["größe", "ключ 1", "鍵", "نمی\u200cخواهم", "👩\u200d🚒", "a|b", "x.wav"]
    assert label_faults(labels) == []
    assert similar_labels(labels) == ""


def test_labels_that_are_easily_taken_for_each_other_are_named():
    said = similar_labels(["Dog", "cat", "dog", "ca\u200bt", "ﬁre", "fire"])
    assert "case, blanks or invisible characters: 'Dog' and 'dog'" in said
    assert r"'cat' and 'ca\u200bt'" in said and "'ﬁre' and 'fire'" in said


def test_a_name_of_macos_is_the_label_that_it_spells():
    spelled = spelled_as(("caf\xe9", "x"))
    assert spelled("cafe\u0301") == "caf\xe9"
    assert spelled("x") == "x" and spelled("y") == "y"
    assert spelled_as(["cafe\u0301"])("caf\xe9") == "cafe\u0301"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_of_windows_holds_the_same_labels(tmp_path, encoding):
    path = tmp_path / "labels.txt"
    path.write_bytes("high\r\nlöw\r\nmid\r\n".encode(encoding))
    assert read_labels(path) == ("high", "löw", "mid")


@pytest.mark.parametrize(
    "content, message",
    [
        (b"high\n\nmid\n", r"one label a line.*received 1 blank \(number 2\)"),
        (b"high\nmid\n\n", r"1 blank \(number 3\)"),
        (b"high\nmid\nhigh\n", r"1 given more than once \('high'\)"),
        (b"hi\x00gh\nmid\n", "1 with control characters"),
        (b"h\xf6gh\n", "cannot read the labels in .*not text in UTF-8.*save it as"),
    ],
)
def test_a_file_of_what_cannot_be_labels_is_refused(tmp_path, content, message):
    path = tmp_path / "labels.txt"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message) as error:
        read_labels(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="cannot read the labels in .*none.txt"):
        read_labels(tmp_path / "none.txt")


def test_a_file_of_quoted_labels_is_refused(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_text('"high"\n"low"\n')
    with pytest.raises(UserError, match="received 2 in quotes"):
        read_labels(path)
    path.write_text('"high"\nlow\n')
    assert read_labels(path) == ('"high"', "low")
