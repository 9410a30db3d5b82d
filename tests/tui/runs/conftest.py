"""The dashboard on a recorded run."""

from on_recording import dashboard, driver, frozen, warehouse

__all__ = ["dashboard", "driver", "frozen", "warehouse"]
