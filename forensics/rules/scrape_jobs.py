"""Find which values the label `job` can have, from the scrape configuration of a Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from forensics.errors import UsageError
from forensics.files import NotReadableError, read_bounded
from forensics.rules.yaml_nodes import Mapping, Node, Scalar, Sequence, YamlError, documents

LONGEST_FILE = 8 << 20  # bytes
# they bring labels of their own, also `job`; other service discoveries set only what begins with __meta_
_BRING_LABELS = ("file_sd_configs", "http_sd_configs")


def jobs_of(file: Path) -> frozenset[str] | None:
    """Return all jobs of a prometheus.yml; None where the configuration alone does not decide. Raises UsageError."""
    try:
        roots = list(documents(read_bounded(file, LONGEST_FILE).decode("utf-8-sig")))
    except NotReadableError as error:
        raise UsageError(f"'{file}' {error}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"'{file}' is not UTF-8.") from None
    except YamlError as error:
        raise UsageError(f"'{file}'{f', line {error.line}' if error.line else ''}: {error}.") from None
    root = roots[0] if roots else None
    if not isinstance(root, Mapping) or root.get("scrape_configs") is None:
        raise UsageError(f"'{file}' is not a configuration of Prometheus: it has no 'scrape_configs:'.")
    if root.get("scrape_config_files") is not None:
        return None
    jobs: set[str] = set()
    for scrape in _mappings(root.get("scrape_configs")):
        if _is_open(scrape):
            return None
        jobs |= {_text(scrape.get("job_name")), *_static_jobs(scrape)}
    return frozenset(jobs - {""})


def _is_open(scrape: Mapping) -> bool:
    """Whether relabelling, the targets' own labels or a discovery can give another job."""
    if _text(scrape.get("honor_labels")) == "true" or any(scrape.get(key) is not None for key in _BRING_LABELS):
        return True
    steps = [*_mappings(scrape.get("relabel_configs")), *_mappings(scrape.get("metric_relabel_configs"))]
    return any(_text(step.get("target_label")) == "job" or _text(step.get("action")).lower() == "labelmap" for step in steps)


def _static_jobs(scrape: Mapping) -> Iterator[str]:
    for group in _mappings(scrape.get("static_configs")):
        labels = group.get("labels")
        if isinstance(labels, Mapping):
            yield _text(labels.get("job"))


def _mappings(node: Node | None) -> list[Mapping]:
    return [item for item in node.items if isinstance(item, Mapping)] if isinstance(node, Sequence) else []


def _text(node: Node | None) -> str:
    return node.value if isinstance(node, Scalar) else ""
