"""Network, augmentation, training, evaluation, metrics: the only home of torch."""
