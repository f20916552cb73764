"""What evaluators take away: tables, event logs for process mining, each with a manifest and a data dictionary."""
