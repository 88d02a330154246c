"""A runbook says how to recognise, check and fix a class, what held last time and when to escalate; no log line becomes markup."""

from forensics.generate.basis import basis_of
from forensics.generate.runbook import deciding_texts, file_name, known_classes, runbook_files
from forensics.resources import folder
from tests.cli.running import run
from tests.generate.history import MEMORY, SECRET, UNIT, day, investigated
from tests.hostile.secrets_journal import leaking, unit_of, write_journal
from tests.hostile.secrets_table import SECRETS

HEADINGS = ["How to recognise it", "Check", "Fix", "What held last time", "Does a restart help?", "When to escalate"]


def headings(text):
    return [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]


def test_each_class_of_an_incident_has_a_runbook_with_all_parts(basis):
    files = runbook_files(basis)
    assert list(files) == ["loader.libstdcxx-missing.md"]
    assert headings(files["loader.libstdcxx-missing.md"]) == HEADINGS


def test_it_quotes_the_deciding_line_the_remedy_and_what_was_measured(basis):
    (text,) = runbook_files(basis).values()
    assert "# The C++ runtime libstdc++ is not found\n" in text
    assert "cannot open shared object file" in text
    assert "Catalogue pattern in the service's own output decides." in text
    assert f"journalctl -u '{UNIT}'" in text
    assert "LD_DEBUG=libs" in text
    assert "Measured: 0 of 39 restarts in an incident held." in text
    assert "At once; do not wait for more restarts" in text
    assert "In a loop it comes every 13 s" in text


def test_what_an_operator_did_is_quoted_where_it_happened(basis):
    (text,) = runbook_files(basis).values()
    assert "- **held** (" in text
    assert "ada ran systemctl restart tabby" in text
    assert "journal.json at offset" in text


def test_an_unknown_class_asks_for_a_pattern_and_no_log_text_becomes_markup(tmp_path):
    line = f"RuntimeError: <script>alert(1)</script> [x](http://evil) ``` \x1b[31m HF_TOKEN={SECRET} \u202e"
    found = investigated(tmp_path, day(loop=5, fails_with=line), patterns=(folder("patterns"),))
    (known,) = known_classes(basis_of(found, deciding_texts(found)))
    assert known.row.signature.startswith("mined:")
    ((name, text),) = runbook_files(basis_of(found, deciding_texts(found))).items()
    assert name == file_name(known.row.signature)
    assert f"patterns new '{known.row.signature}'" in text
    assert SECRET not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    outside = "".join(part for number, part in enumerate(text.split("````")) if number % 2 == 0)
    assert "<script>" not in outside
    assert "](http" not in outside


def test_no_kind_of_secret_is_in_a_runbook(tmp_path):
    journal = write_journal(tmp_path / "secrets.json", [[sample.text] for sample in SECRETS], restarts=4)
    done = run("generate", "runbook", "--file", str(journal), "--store", str(tmp_path / "store"))
    assert done.returncode == 0, done.stderr
    assert unit_of(len(SECRETS) - 1) in done.stdout
    harmless = "\n".join(sample.text.replace(sample.secret, "") for sample in SECRETS)
    assert leaking({sample.kind: sample.secret for sample in SECRETS}, {"runbook": done.stdout}, harmless) == {}


def test_secrets_are_shown_only_on_request(tmp_path):
    found = investigated(tmp_path, day(loop=5, fails_with=MEMORY), patterns=(folder("patterns"),))
    hidden = runbook_files(basis_of(found, deciding_texts(found)))
    shown = runbook_files(basis_of(found, deciding_texts(found), redact=False), redact=False)
    assert SECRET not in str(hidden)
    assert SECRET in str(shown)
    assert "Secrets are NOT hidden" in str(shown)


def test_no_name_of_a_class_leaves_the_directory():
    assert file_name("torch.abi-mismatch") == "torch.abi-mismatch.md"
    assert file_name("exit:signal/6") == "exit-signal-6.md"
    assert file_name("../../etc/passwd") == "etc-passwd.md"
    assert "/" not in file_name("a/b\n/c")
