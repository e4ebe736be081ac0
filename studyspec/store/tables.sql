-- What the plans say, and what could not be read. The tables of attempts and stages follow from
-- their models (stage_tables.py), those of sums from the metrics (sums.py).
-- `record` is the name of the record file, `plan` that of a plan record; times are UTC.

create table stored.chosen (key varchar, stage varchar, record varchar, weights_sha256 varchar);

create table stored.plan (
    record varchar primary key, hash varchar, key varchar, study varchar, profile varchar,
    created_at timestamp, question varchar, spec json, source varchar
);

create table stored.plan_cell (
    plan varchar, position integer, variant varchar, train varchar, test varchar, fold integer,
    split varchar, network varchar, evaluation varchar
);

create table stored.plan_variant (plan varchar, position integer, variant varchar);

create table stored.plan_setting (plan varchar, variant varchar, setting varchar, value varchar);

create table stored.plan_dataset (
    plan varchar, position integer, dataset varchar, label varchar, filter json,
    members varchar[], images varchar[]
);

create table stored.plan_image (plan varchar, image_id varchar, columns json);

create table stored.plan_network (plan varchar, network varchar, members varchar[]);

create table stored.plan_evaluation (plan varchar, evaluation varchar, images varchar);

create table stored.plan_list (plan varchar, list varchar, prepares varchar[]);

create table stored.unreadable (record varchar primary key, stamp varchar, reason varchar);

create table stored.plan_measurement (
    plan varchar, variant varchar, dataset varchar, image_id varchar, measurement varchar
);

create table stored.plan_trial (
    plan varchar, trial integer, settings json, networks varchar[], best boolean
);
