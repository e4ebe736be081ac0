-- What the records say, all of them: facts only, every formula is in views.sql.
-- `record` is the name of the record file, `plan` that of a plan record; times are UTC.

create table stored.attempt (
    record varchar primary key, hash varchar, key varchar, stage varchar, status varchar,
    weights_sha256 varchar, started_at timestamp, finished_at timestamp, seconds double,
    peak_memory_bytes bigint, device varchar, device_name varchar, host varchar,
    versions map(varchar, varchar), error_kind varchar, error_message varchar, error_hint varchar,
    log varchar
);

create table stored.preparation (
    record varchar, patches integer, height_px integer, width_px integer, bytes bigint,
    particle_fraction double
);

create table stored.training (
    record varchar, fold integer, seed integer, best_epoch integer, "precision" varchar,
    n_train integer, n_validation integer, parameters integer
);

create table stored.epoch (
    record varchar, epoch integer, train_loss double, validation_loss double, seconds double
);

create table stored.evaluation (record varchar, network varchar, split varchar, dihedral boolean);

create table stored.patch_score (
    record varchar, image_id varchar, "row" integer, col integer, orientation integer,
    tp integer, fp integer, fn integer, tn integer,
    loss_sum double, soft_intersection double, soft_sum double
);

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
