"""What do a reviewer, an on-call engineer and an auditor each need to see? One Report, several renderings."""

from audit_action.report.build import build
from audit_action.report.json_text import as_json_text
from audit_action.report.plain_text import Annotation, Level, annotations, terminal
from audit_action.report.record import Counts, Report
from audit_action.report.rendering import Rung, comment, comments, summary

__all__ = [
    "Annotation",
    "Counts",
    "Level",
    "Report",
    "Rung",
    "annotations",
    "as_json_text",
    "build",
    "comment",
    "comments",
    "summary",
    "terminal",
]
