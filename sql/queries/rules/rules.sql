select rule, in_use, prefer, measure, weights, floors, description, preset, version
from current_rules
order by in_use desc, preset desc, rule;
