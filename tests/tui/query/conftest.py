"""The dashboard on the published study."""

from on_study import dashboard, own_user_data, until

__all__ = ["dashboard", "own_user_data", "until"]
