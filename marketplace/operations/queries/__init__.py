"""What can be asked about running the platform."""

from marketplace.operations.queries.jobs import JobFound, JobRunsAsked, job_runs, jobs
from marketplace.operations.queries.notices import (
    Notice,
    NoticePage,
    NoticeSearch,
    notice,
    notices,
    notices_now,
    notices_shown,
)

__all__ = [
    "JobFound",
    "JobRunsAsked",
    "Notice",
    "NoticePage",
    "NoticeSearch",
    "job_runs",
    "jobs",
    "notice",
    "notices",
    "notices_now",
    "notices_shown",
]
