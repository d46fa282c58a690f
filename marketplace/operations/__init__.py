"""Running the platform: notices to its users, jobs, messages that wait, the audit trail.

Most of it is kept by the kernel; notices are this domain's own.
"""
