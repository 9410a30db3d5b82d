-- What a width costs, measured here: the columns that a profile fills of a measurement, and the machine it was taken on.
-- Every row from before is of an import, which has none of them.

alter table measurements add column round integer;
alter table measurements add column phase varchar;
alter table measurements add column engine varchar;
alter table measurements add column mode varchar;
alter table measurements add column width varchar;
alter table measurements add column padded_size integer;
alter table measurements add column prompt_tokens bigint;
alter table measurements add column new_tokens bigint;
alter table measurements add column p50 double;
alter table measurements add column p90 double;
alter table measurements add column p99 double;
alter table measurements add column half_width double;
alter table measurements add column limit_share double;
alter table measurements add column limited_by varchar;
alter table measurements add column source varchar;
alter table measurements add column note varchar;
comment on column measurements.round is 'Which time it was that all levels were gone through, from 1; null for imports.';
comment on column measurements.phase is 'prefill, decode, load or both; null where that is not known.';
comment on column measurements.engine is 'What answered: ours, transformers or vllm; null for imports, and for what no engine is part of.';
comment on column measurements.mode is 'eager, or graphs (steps captured as CUDA graphs); null for imports, and for what has no such mode.';
comment on column measurements.width is 'exact, or padded with zero neurons to a multiple that matrix units like; null for imports.';
comment on column measurements.padded_size is 'Neurons in each layer''s MLP as they were computed, zero ones included; null for imports.';
comment on column measurements.prompt_tokens is 'Tokens of each request''s prompt; null where that is not known.';
comment on column measurements.new_tokens is 'Tokens written after each prompt, the same for every level; null where that is not known.';
comment on column measurements.p50 is 'Median of the repetitions, in the unit given; null for imports.';
comment on column measurements.p90 is '90th percentile of the repetitions, in the unit given; null for imports.';
comment on column measurements.p99 is '99th percentile of the repetitions, in the unit given; null for imports.';
comment on column measurements.half_width is 'Half the width of the 95 % interval of the mean, in the unit given; null where there is none.';
comment on column measurements.limit_share is 'Share of the machine''s limit that binds this figure, as measured in machines: 1 is all of it; null for what has no limit.';
comment on column measurements.limited_by is 'Which limit that is: copy (bytes moved) or matrix (operations); null for what has none.';
comment on column measurements.source is 'What measured it, as CUDA events or NVML''s energy counter; null for imports.';
comment on column measurements.note is 'Why there is no mean, or what weakens it; null where there is nothing to say.';

create table machines (
    run_id varchar not null,
    seq bigint not null,
    recorded_at timestamp not null,
    device varchar not null,
    dtype varchar,
    timer varchar,
    copy_rate double,
    matrix_rate double,
    idle_power double,
    power_limit double,
    temperature double,
    clock double,
    clock_max double,
    throttled varchar,
    energy_source varchar,
    energy_missing varchar,
    rates_missing varchar
);
comment on table machines is 'One row per machine that a profile measured before the levels, each time it was begun or taken up again.';
comment on column machines.device is 'The GPU''s name, or the processor''s.';
comment on column machines.dtype is 'Number format that copy_rate and matrix_rate were measured in; null where that is not known.';
comment on column machines.timer is 'What times were taken with; null where that is not known.';
comment on column machines.copy_rate is 'Bytes a second that a large copy moves, read and written ones counted; null where it was not measured.';
comment on column machines.matrix_rate is 'Floating-point operations a second of a large matrix product; null where it was not measured.';
comment on column machines.idle_power is 'Power with nothing to do, in watts; null where the machine reports none.';
comment on column machines.power_limit is 'Power that the device may draw, in watts; null where it tells none.';
comment on column machines.temperature is 'Temperature at the start, in °C; null where it tells none.';
comment on column machines.clock is 'Clock of the matrix units at the start, in MHz; null where it tells none.';
comment on column machines.clock_max is 'Highest clock of the device, in MHz; null where it tells none.';
comment on column machines.throttled is 'What held the clocks down at the start; null if nothing did, or it does not tell.';
comment on column machines.energy_source is 'Where energy is read; null where the machine reports none.';
comment on column machines.energy_missing is 'Why there is no energy; null where there is.';
comment on column machines.rates_missing is 'Why there are no rates; null where there are.';
