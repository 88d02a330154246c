"""`watch` on the command line: its configuration, its test alert, its refusals."""

from tests.cli.test_usage import assert_one_sentence, run


def config(tmp_path, text):
    (tmp_path / "watch.toml").write_text(text)
    return str(tmp_path / "watch.toml")


def test_a_right_configuration_is_called_right(tmp_path):
    result = run("watch", "--check-config", "--config", config(tmp_path, '[[sink]]\ntype = "stdout"\n'))
    assert (result.returncode, result.stderr) == (0, "")
    assert "right; sinks: stdout-1" in result.stdout


def test_a_wrong_configuration_is_refused_with_all_its_mistakes(tmp_path):
    result = run("watch", "--check-config", "--config", config(tmp_path, 'a = 1\n[[sink]]\ntype = "pigeon"\n'))
    assert_one_sentence(result, 2, "2 mistakes", "'a'", "'pigeon'")


def test_a_configuration_that_is_not_there_is_told():
    assert_one_sentence(run("watch", "--config", "/not/there.toml"), 2, "/not/there.toml")


def test_a_test_alert_goes_through_each_sink_and_says_what_came_back(tmp_path):
    text = '[[sink]]\ntype = "stdout"\n[[sink]]\ntype = "command"\ncommand = ["/bin/false"]\n'
    result = run("watch", "--test-alert", "--config", config(tmp_path, text))
    assert result.returncode == 1
    assert "TestAlert: this is a test" in result.stdout
    assert "stdout-1: written" in result.stdout
    assert "command-2: failed: /bin/false: exit status 1" in result.stdout


def test_an_address_that_is_none_is_refused(tmp_path):
    assert_one_sentence(run("watch", "--listen", "9847", "--store", str(tmp_path)), 2, "'9847' is not HOST:PORT")
