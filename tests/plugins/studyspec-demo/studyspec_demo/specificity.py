"""A metric over counts: the share of background that is recognized as such."""

from studyspec.plugins.contracts import CountMetric

SPECIFICITY = CountMetric(
    name="specificity",
    label="Specificity",
    meaning="TN / (TN + FP), pixels pooled.",
    better="higher",
    formula="tn / nullif(tn + fp, 0)",
)
