"""Trust: which dice to expect where there is no label. The only home of scikit-learn."""
