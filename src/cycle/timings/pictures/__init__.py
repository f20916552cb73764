"""What the evaluator's pictures show, as data: no door, no drawing, no words."""
