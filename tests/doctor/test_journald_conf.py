"""journald.conf is read as journald reads it."""

import pytest

from forensics.doctor.journald_conf import read_journald_conf

MAIN = "[Journal]\nStorage=volatile\n"


@pytest.mark.parametrize(
    ("files", "storage", "reason"),
    [
        ({}, None, "nothing is set"),
        ({"etc/systemd/journald.conf": MAIN}, "volatile", "the main file"),
        ({"etc/systemd/journald.conf": "[Journal]\n#Storage=volatile\n; Storage=none\n"}, None, "comments"),
        (
            {"etc/systemd/journald.conf": MAIN, "usr/lib/systemd/journald.conf": "Storage=none\n"},
            "volatile",
            "the first main file counts",
        ),
        ({"usr/lib/systemd/journald.conf": MAIN}, "volatile", "the distribution's, where there is no other"),
        (
            {"etc/systemd/journald.conf": MAIN, "usr/lib/systemd/journald.conf.d/a.conf": "Storage=none\n"},
            "none",
            "a drop-in wins over the main file",
        ),
        (
            {"etc/systemd/journald.conf.d/a.conf": "Storage=none\n", "run/systemd/journald.conf.d/b.conf": "Storage=auto\n"},
            "auto",
            "drop-ins by name, whatever their directory",
        ),
        (
            {"etc/systemd/journald.conf.d/a.conf": "Storage=none\n", "usr/lib/systemd/journald.conf.d/a.conf": "Storage=auto\n"},
            "none",
            "of two with one name that in /etc",
        ),
        ({"etc/systemd/journald.conf": MAIN, "etc/systemd/journald.conf.d/a.conf": "Storage=\n"}, None, "an empty value is the default"),
        ({"etc/systemd/journald.conf": "Storage = none \n"}, "none", "blanks around the equals sign"),
        ({"etc/systemd/journald.conf": b"\xff\xfe\0Storage\n=none"}, None, "damaged"),
        ({"etc/systemd/journald.conf.d/a.txt": "Storage=none\n"}, None, "not a .conf"),
    ],
)
def test_the_setting_in_effect(tmp_path, files, storage, reason):
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert read_journald_conf(tmp_path).get("Storage") == storage, reason


def test_a_drop_in_that_is_masked_sets_nothing(tmp_path):
    folder = tmp_path / "etc/systemd/journald.conf.d"
    folder.mkdir(parents=True)
    (folder / "a.conf").symlink_to("/dev/null")
    vendor = tmp_path / "usr/lib/systemd/journald.conf.d"
    vendor.mkdir(parents=True)
    (vendor / "a.conf").write_text("Storage=none\n")
    assert read_journald_conf(tmp_path) == {}
