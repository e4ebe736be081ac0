"""Recipe numbers: a developer raises a stage's number when the stage's results change."""

TWIN = 2
PREPARE = 1
MEASURE = 1
TRAIN = 1
EVALUATE = 1
