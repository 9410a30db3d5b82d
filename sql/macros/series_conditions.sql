-- The unpruned width is the same whatever text neurons were looked at on: it keeps the run's conditions.
create or replace macro series_conditions(conditions, other_calibration, unpruned) as
    case when unpruned or other_calibration is null then conditions else concat_ws(', ', conditions, other_calibration) end;
comment on macro series_conditions is
    'Conditions of a run''s width: with the text that it was calibrated on, where that is another than the first.';
