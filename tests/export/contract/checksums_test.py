from export.contract.checksums import checksums

# Of "abc" and of nothing: FIPS 180-2, appendix B.1, and NIST's example of length 0.
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_every_file_below_is_counted_and_hashed(tmp_path):
    (tmp_path / "one" / "two").mkdir(parents=True)
    (tmp_path / "one" / "two" / "abc").write_bytes(b"abc")
    (tmp_path / "empty").write_bytes(b"")
    assert checksums(tmp_path) == {
        "empty": {"bytes": 0, "sha256": NOTHING},
        "one/two/abc": {"bytes": 3, "sha256": ABC},
    }
