"""An implementation in a process of its own, which may crash, hang or lie, and takes nothing else with it."""
