"""The evaluator's pictures as SVG: made of what they show and of words, with no door and no store behind them."""
