"""What Helm or Jinja has yet to fill in is named as such, and the rules around it are judged."""

from pathlib import Path

import pytest

from forensics.rules import template_marks
from forensics.rules.rule_file import rules_of

HELM = """{{- /* made
by a chart */ -}}
{{- if .Values.rules.enabled }}
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: {{ include "x.fullname" . }}
  labels:
{{ include "x.labels" . | indent 4 }}
spec:
  groups:
  - name: a
    rules:
    - alert: A
      expr: up < {{ .Values.threshold }}
      for: {{ .Values.for }}
    - alert: B
      expr: up == 0
      labels:
        severity: {{ .Values.severity | quote }}
    - alert: C
      expr: up == 1
{{- end }}
"""
JINJA = """groups:
{% for job in jobs %}
- name: {{ job }}
  rules:
  - alert: A
    expr: {{ job }}_errors > 0
  - alert: B
    expr: up{job="{{ job }}"} == 0
  - alert: C
    expr: up == 1
    annotations:
      summary: "{{ $labels.instance }}"
{% endfor %}
"""


def found(text):
    read = rules_of(Path("rules.yml"), text)
    return [rule.name for rule in read.rules], [(mistake.line, mistake.key, mistake.text) for mistake in read.mistakes]


def test_a_chart_is_named_line_by_line():
    rules, mistakes = found(HELM)
    assert rules == ["C"]
    assert [(line, key) for line, key, _ in mistakes] == [(1, ""), (16, "A"), (15, "A"), (20, "B")]
    assert all("Helm" in text for _, _, text in mistakes[:3])


def test_a_jinja_template_is_named_line_by_line():
    rules, mistakes = found(JINJA)
    assert rules == ["C"]
    assert [line for line, _, _ in mistakes] == [2, 6, 8]
    assert all("is a Jinja template; render the file first" in text for _, _, text in mistakes)


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{ .Values.x }}", "a Helm template"),
        ("{{- $x }}", "a Helm template"),
        ('{{ include "a" . }}', "a Helm template"),
        ("{{ threshold }}", "a Jinja template"),
        ("{{ threshold | default(5) }}", "a Jinja template"),
        ("{% if x %}", "a Jinja template"),
        ("{# why #}", "a Jinja template"),
        ("{{ . }}", "a template (Helm or Jinja)"),
    ],
)
def test_a_template_is_said_to_be_of_its_program(template, words):
    assert words in template_marks.template_in(f"up < {template}")


def test_templates_of_annotations_are_prometheus_own():
    text = "groups:\n- name: a\n  rules:\n  - alert: X\n    expr: up\n    annotations:\n      summary: '{{ $labels.x }}'\n"
    assert found(text) == (["X"], [])


@pytest.mark.parametrize("text", ["{{" * 20_000, "{{ a " * 20_000 + "}}", "{{}}" * 20_000, "{%" * 20_000, "{{ x }} y\n" * 20_000])
def test_words_in_place_of_templates_keep_lines_and_can_be_put_back(text):
    text = f"x{text}"  # what is alone on its lines is blanked
    blanked, templates = template_marks.stand_ins(text)
    assert blanked.count("\n") == text.count("\n")
    assert template_marks.filled_again(blanked, templates) == text
