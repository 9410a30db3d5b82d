-- Of a file its name alone: tables go to others. The hash tells texts of one name, and draws of one model, apart.
create or replace macro calibration_label(source, tokens, hash) as
    format('{}, {:,} tokens ({})', regexp_extract(source, '([^/]*)$', 1), tokens, hash[:8]);
comment on macro calibration_label is 'What a run was calibrated on, in words: where the text is from, how much, and its hash.';
