"""What the broker may say to a worker. Nothing of value travels in a task: losing the broker loses nothing."""

from messaging.tasks.beat import ask_about_unknown, listen, send_due, tick, wake
from messaging.tasks.bounces import read_bounces
from messaging.tasks.watchdog import start_watchdog

__all__ = ["ask_about_unknown", "listen", "read_bounces", "send_due", "start_watchdog", "tick", "wake"]
