from pathlib import Path

import pytest

from benchmarks.suite import running
from benchmarks.suite.plan import Plan
from benchmarks.suite.runs import read_runs
from benchmarks.suite.tasks import task_named
from leaf_files.errors import UserError
from tests.benchmarks.suite.made import write_runs


def plan_of(frontends, output=Path("out"), **settings):
    names = (["drums"], frontends, ["small"], 600)
    return Plan.asked_for(*names, data=Path("data"), output=output, **settings)


def config_of(frontend):
    from benchmarks.suite.plan import frontend_settings

    task = task_named("drums")
    return task.config(Path("data"), 0, "small", frontend_settings(frontend))


def test_equal_frontends_have_one_name():
    plan = plan_of(["mel:n_filters=40", "leaf:n_filters=8:compression=log"])
    assert plan.frontends == ("mel", "leaf:compression=log:n_filters=8")
    with pytest.raises(UserError, match="different ones. Received: leaf, leaf"):
        plan_of(["leaf", "leaf:n_filters=40"])


@pytest.mark.parametrize("number", ["0", "8.5", "many", "true"])
def test_a_number_of_filters_is_checked(number):
    with pytest.raises(UserError, match="whole number, at least 1. Received: leaf:n_f"):
        plan_of([f"leaf:n_filters={number}"])


def test_the_number_of_filters_of_a_run_is_the_frontend_s():
    config = config_of("leaf:n_filters=8:learn_filters=False")
    assert (config.frontend, config.n_filters) == ("leaf", 8)
    assert config.frontend_settings == {"learn_filters": False}
    assert config_of("leaf").n_filters == 40
    # Runs with any number of filters belong together.
    assert task_named("drums").settings()["n_filters"] == 40


def test_runs_on_test_and_on_validation_clips_do_not_mix(tmp_path):
    # Of other tasks, so that nothing else tells them apart.
    settings = {"steps": 20, "on": "validation"}
    write_runs(tmp_path, {"mel": {"": 5}}, task="pitch", settings=settings)
    with pytest.raises(UserError, match="on validation clips; name another --output"):
        assert plan_of(["mel"], tmp_path).jobs
    assert len(plan_of(["mel"], tmp_path, on="validation").jobs) == 10
    write_runs(tmp_path, {"mel": {"": 5}})
    with pytest.raises(UserError, match="folders of their own"):
        read_runs(tmp_path)


def test_the_pages_say_which_clips_they_are_on(tmp_path):
    write_runs(tmp_path / "test", {"mel": {"": 5}, "leaf": {"": 6}})
    running.report(tmp_path / "test")
    page = (tmp_path / "test" / "report.md").read_text()
    assert "on the test clips" in page and "validation" not in page.lower()
    names = ("mel", "leaf:compression=log", "leaf:learn_filters=false")
    settings = {"steps": 20, "on": "validation"}
    output = tmp_path / "validation"
    write_runs(output, {name: {"": 5} for name in names}, settings=settings)
    running.report(output)
    page = (output / "report.md").read_text()
    assert page.startswith("# Frontends on real tasks, validation clips\n")
    assert "accuracy on the validation clips" in page and "judged on test" in page
    assert "## leaf:learn_filters=false against mel" in page
    header, *rows = (output / "results.csv").read_text().splitlines()
    place = header.split(",").index("on")
    assert {row.split(",")[place] for row in rows} == {"validation"}
