-- Ratios are equal where two decimals are: widths are whole numbers, so that two models seldom have the very same one.
create or replace macro basis_value(basis, pruning_pct, expansion_ratio) as
    case basis when 'percentage' then pruning_pct when 'expansion ratio' then round(expansion_ratio, 2) end;
comment on macro basis_value is
    'What must be equal for two widths of different models or methods to be compared: by percentage or expansion ratio.';
