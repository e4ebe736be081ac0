-- The questions that are asked of the store. All formulas are here. Profile '' is no profile.

create or replace view stored.newest_plan as
select * from stored.plan
qualify row_number() over (
    partition by study, profile order by created_at desc, record desc
) = 1;

create or replace view stored.cell as
select p.study, p.profile, c.*
from stored.plan_cell c join stored.newest_plan p on p.record = c.plan;

-- Where several records give one result, the earliest is chosen, then the lowest hash; of
-- evaluations first one that was made with the chosen weights.
create or replace view stored.chosen as
with done as (
    select a.*, e.network
    from stored.attempt a left join stored.evaluation e on e.record = a.record
    where a.status = 'done'
), network as (
    select key, weights_sha256 from done where stage = 'train'
    qualify row_number() over (partition by key order by finished_at, hash, record) = 1
)
select d.record, d.key, d.stage
from done d left join network n on n.key = d.network
qualify row_number() over (
    partition by d.key
    order by coalesce(d.weights_sha256 = n.weights_sha256, false) desc,
             d.finished_at, d.hash, d.record
) = 1;

create or replace view patch_score as
select c.key as evaluation, e.split, s.* exclude (record)
from stored.chosen c
join stored.evaluation e on e.record = c.record
join stored.patch_score s on s.record = c.record;

-- Sums over the patches of an image, each in all its orientations; what follows is made of these.
create or replace view stored.image_sums as
select evaluation, split, image_id, count(*) as n, count(*) filter (orientation = 0) as n_patches,
       sum((2 * tp + 1) / (2 * tp + fp + fn + 1)) as dice,
       sum(tp)::double as tp, sum(fp)::double as fp, sum(fn)::double as fn, sum(tn)::double as tn,
       sum(loss_sum) as loss_sum, sum(soft_intersection) as soft_intersection,
       sum(soft_sum) as soft_sum
from main.patch_score group by evaluation, split, image_id;

create or replace view stored.image_metrics as
select evaluation, split, image_id, n_patches::integer as n_patches, dice / n as dice,
       2 * tp / nullif(2 * tp + fp + fn, 0) as dice_micro,
       2 * soft_intersection / nullif(soft_sum, 0) as soft_dice,
       loss_sum / (tp + fp + fn + tn) as loss, tp / nullif(tp + fp, 0) as "precision",
       tp / nullif(tp + fn, 0) as recall, fp / nullif(fp + fn, 0) as oversegmentation
from stored.image_sums;

create or replace view stored.evaluation_metrics as
with total as (
    select evaluation, split, sum(columns(* exclude (evaluation, split, image_id)))
    from stored.image_sums group by evaluation, split
)
select evaluation, split, n_patches::integer as n_patches, dice / n as dice,
       2 * tp / nullif(2 * tp + fp + fn, 0) as dice_micro,
       2 * soft_intersection / nullif(soft_sum, 0) as soft_dice,
       loss_sum / (tp + fp + fn + tn) as loss, tp / nullif(tp + fp, 0) as "precision",
       tp / nullif(tp + fn, 0) as recall, fp / nullif(fp + fn, 0) as oversegmentation
from total;

-- A row for each evaluation and split.
create or replace view scores as
select c.study, c.profile, c.variant, c.train, c.test, c.fold, c.split,
       m.n_patches, m.dice, m.dice_micro, m.soft_dice, m.loss, m."precision", m.recall,
       m.oversegmentation, c.network, c.evaluation
from stored.cell c
join stored.evaluation_metrics m on m.evaluation = c.evaluation and m.split = c.split;

-- A row for each cell, split and metric: mean and standard deviation (ddof 1) over the folds.
create or replace view cell_scores as
select study, profile, variant, train, test, split, metric,
       count(value)::integer as folds, avg(value) as mean, stddev_samp(value) as sd
from (
    unpivot scores
    on dice, dice_micro, soft_dice, loss, "precision", recall, oversegmentation
    into name metric value value
)
group by all;

-- A row for each cell over the folds of split test. The own-set of a cell is (test, test) of the
-- same variant, else of base.
create or replace view matrix as
with cell as (
    select study, profile, variant, train, test, count(dice)::integer as folds,
           avg(dice) as dice_mean, stddev_samp(dice) as dice_sd,
           avg(dice_micro) as dice_micro_mean, stddev_samp(dice_micro) as dice_micro_sd
    from scores where split = 'test'
    group by study, profile, variant, train, test
), own as (
    select study, profile, variant, test, dice_mean from cell where train = test
)
select c.*, c.dice_mean / coalesce(o.dice_mean, b.dice_mean) as normalized
from cell c
left join own o
    on (o.study, o.profile, o.variant, o.test) = (c.study, c.profile, c.variant, c.test)
left join own b
    on (b.study, b.profile, b.variant, b.test) = (c.study, c.profile, 'base', c.test);

-- A row for each fold of each cell of the newest plans, done or not.
create or replace view cells as
select study, profile, variant, train, test, fold, split, network, evaluation from stored.cell;

create or replace view variant_setting as
select p.study, p.profile, s.variant, s.setting, s.value
from stored.plan_setting s join stored.newest_plan p on p.record = s.plan;

create or replace view networks as
select a.key as network, a.weights_sha256, t.* exclude (record), a.seconds, a.finished_at
from stored.chosen c
join stored.training t on t.record = c.record
join stored.attempt a on a.record = c.record;

create or replace view history as
select c.key as network, h.* exclude (record)
from stored.chosen c join stored.epoch h on h.record = c.record;

-- The prepare jobs of every dataset and variant, from the lists of the cells that name it.
create or replace view stored.dataset_prepare as
with trained as (
    select c.plan, c.variant, c.train, unnest(d.members) as member, unnest(n.members) as list
    from stored.cell c
    join stored.plan_dataset d on d.plan = c.plan and d.dataset = c.train
    join stored.plan_network n on n.plan = c.plan and n.network = c.network
), named as (
    select plan, variant, member as dataset, list from trained
    union
    select plan, variant, train, list from trained
    union
    select c.plan, c.variant, c.test, e.images
    from stored.cell c
    join stored.plan_evaluation e on e.plan = c.plan and e.evaluation = c.evaluation
)
select distinct n.plan, n.variant, n.dataset, unnest(l.prepares) as prepare
from named n join stored.plan_list l on l.plan = n.plan and l.list = n.list;

-- Patches of every dataset and variant; null until all its images are prepared.
create or replace view dataset_patches as
select p.study, p.profile, d.variant, d.dataset,
       case when count(*) = count(r.patches) then sum(r.patches)::integer end as patches
from stored.dataset_prepare d
join stored.newest_plan p on p.record = d.plan
left join stored.chosen c on c.key = d.prepare
left join stored.preparation r on r.record = c.record
group by all;

-- The datasets of the newest plans; patches are those of the first variant that uses them.
create or replace view datasets as
with first as (
    select p.study, p.profile, s.dataset, s.patches
    from dataset_patches s
    join stored.newest_plan p on p.study = s.study and p.profile = s.profile
    join stored.plan_variant v on v.plan = p.record and v.variant = s.variant
    qualify row_number() over (
        partition by p.study, p.profile, s.dataset order by v.position
    ) = 1
)
select p.study, p.profile, d.dataset, d.label, len(d.images) as images, f.patches, d.members,
       d.filter
from stored.plan_dataset d
join stored.newest_plan p on p.record = d.plan
left join first f on f.study = p.study and f.profile = p.profile and f.dataset = d.dataset;

create or replace view dataset_images as
select p.study, p.profile, d.dataset, unnest(d.images) as image_id,
       unnest(range(len(d.images)))::integer as position
from stored.plan_dataset d join stored.newest_plan p on p.record = d.plan;

-- Every try at every job; of several results of one job `chosen` is the one that counts.
create or replace view attempts as
select a.key, a.stage, a.status, c.record is not null as chosen, a.* exclude (key, stage, status)
from stored.attempt a left join stored.chosen c on c.record = a.record;

-- The last failure of every job that has no result.
create or replace view failures as
select a.key, a.stage, a.status, a.error_kind, a.error_message, a.error_hint, a.log, a.finished_at
from stored.attempt a
where a.status not in ('done', 'preempted')
  and a.key not in (select key from stored.attempt where status = 'done')
qualify row_number() over (partition by a.key order by a.finished_at desc, a.record desc) = 1;

create or replace view unreadable_records as
select record, reason from stored.unreadable;

-- Statistics of the prepared patches of every image, where the study asks for them; power is the
-- share in bands that end at 0.025, 0.05, 0.1, 0.2 and 0.5 cycles per pixel.
create or replace view image_statistics as
select p.study, p.profile, m.variant, m.dataset, m.image_id, s.rho, s.patches, s.contrast,
       s.film_sd, s.particle_sd, s.skewness, s.kurtosis, s.roughness, s.power
from stored.plan_measurement m
join stored.newest_plan p on p.record = m.plan
join stored.chosen c on c.key = m.measurement
join stored.measurement s on s.record = c.record;

-- Pixels of particle and background by intensity, all images of a dataset together.
create or replace view histograms as
with bins as (
    select p.study, p.profile, m.variant, m.dataset, s.rho, s.low, s.width,
           unnest(range(len(s.particle))) as number,
           unnest(s.particle) as particle, unnest(s.background) as background
    from stored.plan_measurement m
    join stored.newest_plan p on p.record = m.plan
    join stored.chosen c on c.key = m.measurement
    join stored.measurement s on s.record = c.record
)
select study, profile, variant, dataset, rho, low + number * width as intensity_low,
       low + (number + 1) * width as intensity_high,
       sum(particle)::bigint as particle, sum(background)::bigint as background
from bins group by all;

-- Trials of a search in the order in which they were asked for; the loss is the mean over its
-- datasets of the lowest validation loss.
create or replace view trials as
with lowest as (
    select c.key as network, min(h.validation_loss) as loss
    from stored.chosen c join stored.epoch h on h.record = c.record group by c.key
), trained as (
    select p.study, p.profile, t.trial, t.settings, t.best, unnest(t.networks) as network
    from stored.plan_trial t join stored.newest_plan p on p.record = t.plan
)
select t.study, t.profile, t.trial, t.settings, t.best,
       case when count(*) = count(l.loss) then avg(l.loss) end as validation_loss
from trained t left join lowest l on l.network = t.network
group by all;
