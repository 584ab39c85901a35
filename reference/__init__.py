"""The specification of attention: its steps, and the interval in which a correct answer lies. It can be read alone."""
