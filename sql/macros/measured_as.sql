-- -1 shots is lm-eval's for a group whose tasks differ in it.
create or replace macro measured_as(benchmark, num_fewshot, many_shots, version, many_versions) as
    case
        when many_shots or many_versions then format('{} ({})', benchmark, concat_ws(
            ', ',
            case
                when many_shots then case
                    when num_fewshot is null then 'shots not known' when num_fewshot < 0 then 'various shots'
                    else format('{}-shot', num_fewshot)
                end
            end,
            case when many_versions then coalesce('version ' || version, 'version not known') end
        ))
        else benchmark
    end;
comment on macro measured_as is
    'A benchmark''s name, with the shots and the version where it was measured with several.';
