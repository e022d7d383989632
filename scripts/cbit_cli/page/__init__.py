"""What the pages of HTML that commands write have in common: look, charts, template engine."""
