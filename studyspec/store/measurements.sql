-- Statistics of the prepared patches of images, a row for each strength of added noise.

create table stored.measurement (
    record varchar, image_id varchar, rho double, patches integer, contrast double,
    film_sd double, particle_sd double, skewness double, kurtosis double, roughness double,
    power double[], low double, width double, particle integer[], background integer[]
);

create table stored.plan_measurement (
    plan varchar, variant varchar, dataset varchar, image_id varchar, measurement varchar
);

-- Trials of a search, with the trainings that tell how good they are.

create table stored.plan_trial (
    plan varchar, trial integer, settings json, networks varchar[], best boolean
);
