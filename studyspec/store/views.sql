-- The questions that are asked of the store, but for scores and images (score_views.py and
-- image_views.py, where the columns depend on what is installed and what the catalogs hold).
-- Profile '' is no profile.

create or replace view patch_score as
select c.key as evaluation, e.split, e.image_ids[s.image + 1] as image_id,
       s.* exclude (record, image)
from stored.chosen c
join stored.evaluate e on e.record = c.record
join stored.evaluate_scores s on s.record = c.record;

create or replace view variant_setting as
select p.study, p.profile, s.variant, s.setting, s.value
from stored.plan_setting s join stored.newest_plan p on p.record = s.plan;

-- What people call a network: "material/Au/0", with its profile and variant where it has any.
create or replace view stored.network_name as
select network, study || case when profile = '' then '' else '@' || profile end || '/'
       || case when variant = 'base' then '' else variant || '/' end
       || train || '/' || fold as name, study, profile, variant, train, fold
from (select distinct network, study, profile, variant, train, fold
      from stored.fold_cell where fold is not null);

create or replace view networks as
select a.key as network, n.* exclude (network), t.* exclude (record, fold), a.seconds, a.finished_at
from stored.chosen c
join stored.train t on t.record = c.record
join stored.attempt a on a.record = c.record
left join (
    select network, min(name) as name, list(name order by name) as names,
           min_by(study, name) as study, min_by(profile, name) as profile,
           min_by(variant, name) as variant, min_by(train, name) as train,
           min_by(fold, name) as fold
    from stored.network_name group by network
) n on n.network = a.key;

create or replace view history as
select c.key as network, n.name, n.study, n.train, n.fold, h.* exclude (record)
from stored.chosen c join stored.train_history h on h.record = c.record
left join networks n on n.network = c.key;

-- The prepare jobs of every dataset and variant, from the lists of the cells that name it; of one
-- that is trained on, as its networks see it, as tests may be cut otherwise.
create or replace view stored.dataset_prepare as
with trained as (
    select c.plan, c.variant, c.train, unnest(d.members) as member, unnest(n.members) as list
    from stored.fold_cell c
    join stored.plan_dataset d on d.plan = c.plan and d.dataset = c.train
    join stored.plan_network n on n.plan = c.plan and n.network = c.network
), named as (
    select plan, variant, member as dataset, list from trained
    union
    select plan, variant, train, list from trained
    union
    select c.plan, c.variant, c.test, e.images
    from stored.fold_cell c
    join stored.plan_evaluation e on e.plan = c.plan and e.evaluation = c.evaluation
    where (c.plan, c.variant, c.test) not in (
        select (plan, variant, member) from trained union select (plan, variant, train) from trained
    )
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
left join stored.prepare r on r.record = c.record
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
select a.key, a.stage, a.status, c.record is not null as chosen,
       a.* exclude (key, stage, status, error), a.error.kind as error_kind,
       a.error.message as error_message, a.error.hint as error_hint
from stored.attempt a left join stored.chosen c on c.record = a.record;

-- The last failure of every job that has no result.
create or replace view failures as
select a.key, a.stage, a.status, a.error.kind as error_kind, a.error.message as error_message,
       a.error.hint as error_hint, a.log, a.finished_at
from stored.attempt a
where a.status not in ('done', 'preempted')
  and a.key not in (select key from stored.attempt where status = 'done')
qualify row_number() over (partition by a.key order by a.finished_at desc, a.record desc) = 1;

create or replace view unreadable_records as
select record, reason from stored.unreadable;

-- Tests that were made more than once with the same weights, and whose pooled dice differs by more
-- than a thousandth: machines differ by less, so one of the records is wrong.
create or replace view disagreements as
with again as (
    select key, weights_sha256 from stored.attempt
    where stage = 'evaluate' and status = 'done' group by all having count(*) > 1
), scored as (
    select a.key, a.weights_sha256, a.record,
           2 * sum(s.tp) / nullif(2 * sum(s.tp) + sum(s.fp) + sum(s.fn), 0) as dice
    from stored.attempt a
    join again using (key, weights_sha256)
    join stored.evaluate_scores s on s.record = a.record
    group by all
)
select key, weights_sha256, count(*)::integer as records, min(dice) as lowest, max(dice) as highest
from scored group by all having max(dice) - min(dice) > :agreement;

-- Statistics of the prepared patches of every image, where the study asks for them; power is the
-- share in bands that end at 0.025, 0.05, 0.1, 0.2 and 0.5 cycles per pixel.
create or replace view image_statistics as
select p.study, p.profile, m.variant, m.dataset, m.image_id, s.rho, s.patches, s.contrast,
       s.film_sd, s.particle_sd, s.skewness, s.kurtosis, s.roughness, s.power
from stored.plan_measurement m
join stored.newest_plan p on p.record = m.plan
join stored.chosen c on c.key = m.measurement
join stored.measure_rows s on s.record = c.record;

-- Pixels of particle and background by intensity, all images of a dataset together.
create or replace view histograms as
with bins as (
    select p.study, p.profile, m.variant, m.dataset, s.rho, s.low, s.width,
           unnest(range(len(s.particle))) as number,
           unnest(s.particle) as particle, unnest(s.background) as background
    from stored.plan_measurement m
    join stored.newest_plan p on p.record = m.plan
    join stored.chosen c on c.key = m.measurement
    join stored.measure_rows s on s.record = c.record
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
    from stored.chosen c join stored.train_history h on h.record = c.record group by c.key
), trained as (
    select p.study, p.profile, t.trial, t.settings, t.best, unnest(t.networks) as network
    from stored.plan_trial t join stored.newest_plan p on p.record = t.plan
)
select t.study, t.profile, t.trial, t.settings, t.best,
       case when count(*) = count(l.loss) then avg(l.loss order by t.network) end as validation_loss
from trained t left join lowest l on l.network = t.network
group by all;
