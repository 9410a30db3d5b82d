-- What of a machine is not shared: whose it is and where its folders are. Said twice it says the same.
create or replace temp macro without_folders(said) as
    regexp_replace(
        regexp_replace(said, '(/home|/Users)/[^/\s"''`,;()\[\]{}<>\\]+', '~', 'g'),
        '(^|[\s"''`=(\[,;<>]|file://)(~?/(?:[^\s"''`,;()\[\]{}<>\\/]+/)*|~/)', '\1', 'g'
    );
create or replace temp macro model_name(said) as
    case when said[1] in ('/', '~', '.') then regexp_extract(rtrim(said, '/'), '([^/]*)$', 1) else said end;
create or replace temp macro without_host(said) as
    case when json_exists(said::json, '$.host') then json_merge_patch(said::json, '{"host": null}'::json) else said end;
