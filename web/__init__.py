"""The pages: staff's day, the auditor's questions, the admin's house. Thin: parse, one service call, one view."""
