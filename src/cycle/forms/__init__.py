"""Forms out of declarations: which inputs a command or a fact takes, what was typed into them, what is wrong."""
