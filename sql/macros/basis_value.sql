-- Ratios are equal where two decimals are: widths are whole numbers, so that two models seldom have the very same one.
-- Parameters are in steps of 5 percent, for the same reason: two in one step are at most that far apart.
create or replace macro basis_value(basis, pruning_pct, expansion_ratio, parameters := null) as
    case basis
        when 'percentage' then pruning_pct
        when 'expansion ratio' then round(expansion_ratio, 2)
        when 'parameters' then round(exp(0.05 * round(ln(parameters) / 0.05)))
    end;
comment on macro basis_value is
    'What must be equal for two widths of different models or methods to be compared: by percentage, expansion ratio or parameters.';
