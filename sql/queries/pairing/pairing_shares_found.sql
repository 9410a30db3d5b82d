create or replace temp table pairing_shares as
select
    unnest($lost::bigint[]) as lost, unnest($gained::bigint[]) as gained, unnest($pairs::bigint[]) as pairs,
    unnest($low::double[]) as share_low, unnest($high::double[]) as share_high, unnest($p_value::double[]) as share_p;
