-- One row is one claim of the study (Martra 2025, arXiv 2512.22671, versions 1 and 2 of December 2025 and later): what its
-- seven "Key Observations" say that numbers can support or not. The eight points of its summary (Observation 7), what
-- that implies, and two that only the text before it makes. `v3_says` is what version 3 (12 June 2026) changes in it, as
-- far as its abstract goes; null where that says nothing of it.
create or replace view claim_list as
select *, 'arXiv 2512.22671v1 and v2' as version, case claim
    when 1 then
        'IFEval is said to improve at the expansion ratio 2.4 (+4.8 points in the 1B, +3.7 in the 3B; 40 % and 10 % of the '
        'neurons removed), no longer by "+46% to +75%".'
    when 3 then 'The correlation of MMLU and TruthfulQA-MC2 (r = -0.864 in the 3B) is no longer claimed.'
    when 11 then
        'The correlation of MMLU and TruthfulQA-MC2 (r = -0.864 in the 3B) is no longer claimed; that knowledge goes while '
        'instructions hold is.'
end as v3_says
from (values
    (
        1, 'IFEval improves at every level, whatever the size',
        'Observations 1, 7: "substantial gains … across all pruning levels", "regardless of size".',
        'Supported if every level is better and the mean change over the levels is a gain beyond noise. Not supported '
        'if neither that mean nor any level is a gain beyond noise.',
        'IFEval at full width and at two pruned widths or more', ['ifeval']
    ),
    (
        2, 'MuSR improves in the smaller model, not in the larger',
        'Observations 2, 7: "improves consistently" in the 1B; "marginal changes" in the 3B.',
        'Of two sizes of a family. Supported if the smaller is better at every level, its mean change is a gain beyond '
        'noise, the larger''s is not, and the difference of the two is beyond noise. Not supported if the smaller has '
        'no gain beyond noise, neither in the mean nor at any level, or the larger gains clearly more.',
        'MuSR of two sizes of one family, at full width and at two pruned widths or more', ['leaderboard_musr']
    ),
    (
        3, 'TruthfulQA-MC2 rises with pruning, whatever the size',
        'Observations 3, 7: "improves progressively", in both models.',
        'Supported if a line through all widths rises beyond noise and no level is worse beyond noise. Not supported '
        'if the line does not rise beyond noise.',
        'TruthfulQA-MC2 at full width and at two pruned widths or more', ['truthfulqa_mc2']
    ),
    (
        4, 'TruthfulQA-MC1 gains a little in the smaller model only',
        'Observation 3: "modest gains" in the 1B; "volatile", "generally lower or negative" in the 3B; "both models '
        'start near chance levels".',
        'As claim 2. Beside it: whether the unpruned models are clear of chance.',
        'TruthfulQA-MC1 of two sizes of one family, at full width and at two pruned widths or more', ['truthfulqa_mc1']
    ),
    (
        5, 'Knowledge and reasoning degrade more in the larger model',
        'Observations 4, 7: "disproportionately larger degradation in knowledge-intensive tasks (MMLU, BoolQ) and '
        'mathematical reasoning (GSM8K) at equivalent pruning levels".',
        'Of two sizes of a family, in percent of each one''s own score, averaged over the levels in common. Supported '
        'if the larger loses more beyond noise on each benchmark (two or more), not supported if on none. Counted from '
        'chance, the larger may not keep clearly more at the lowest level: who starts near chance has little to lose.',
        'two of MMLU, GSM8K and BoolQ, of two sizes of one family at the same percentages', ['mmlu', 'gsm8k', 'boolq']
    ),
    (
        6, 'Perplexity grows exponentially',
        'Observations 5, 7: "the exponential degradation pattern is consistent" in both models.',
        'Supported if an exponential explains 90 % of the variance of each log perplexity or more, and more than a '
        'straight line explains of the perplexity. Not supported if that holds for none.',
        'a perplexity at four widths or more', ['wikitext', 'lambada_openai']
    ),
    (
        7, 'LAMBADA collapses more severely in the larger model',
        'Observation 5: "next-token prediction quality collapses more severely in larger pruned models".',
        'Of two sizes of a family, in multiples of each one''s own perplexity, at the levels in common. Supported if the '
        'larger''s grows more at each of them and its growth for each 10 %, fitted on a log scale, is larger beyond noise '
        '(Student''s t on the two curves'' difference). Not supported if it grows more at fewer than half of the levels.',
        'LAMBADA of two sizes of one family at four widths in common or more', ['lambada_openai']
    ),
    (
        8, 'The larger the model, the less of it can be pruned',
        'Observations 6, 7: "pruning aggressiveness should scale inversely with model size"; 40 % for the 1B, 10 % for '
        'the 3B.',
        'Of two sizes of a family, by the rule `study` (prune-tui rules), at the levels in common. Supported if the '
        'smaller''s best level is a higher one and each is clear of its second; mixed if it is a higher one, but not '
        'clearly. Not supported otherwise.',
        'what the rule `study` needs (MMLU, IFEval, MuSR, TruthfulQA-MC2) of two sizes of one family, at two pruned widths '
        'in common or more',
        ['mmlu', 'ifeval', 'leaderboard_musr', 'truthfulqa_mc2']
    ),
    (
        9, 'GSM8K is severely fragile, whatever the size',
        'Observation 7: "severe fragility regardless of size".',
        'Supported if every level is a loss beyond noise and half of the score or more is lost on average over the '
        'levels. Not supported if no level is a loss beyond noise.',
        'GSM8K at full width and at two pruned widths or more', ['gsm8k']
    ),
    (
        10, 'Pattern recognition degrades in proportion to pruning',
        'Observation 7: "gradual degradation proportional to pruning". It names no benchmarks; we read HellaSwag, PIQA '
        'and WinoGrande: choosing how an everyday text goes on.',
        'Supported if a straight line through all widths falls beyond noise for each (two or more), and explains 90 % '
        'of the variance or misses the values by no more than their noise. Not supported if that holds for none.',
        'two of HellaSwag, PIQA and WinoGrande at four widths or more', ['hellaswag', 'piqa', 'winogrande']
    ),
    (
        11, 'Instructions and truthfulness hold while knowledge goes',
        'Observation 7: "models can maintain instruction-following and reduce confident misinformation even as factual '
        'knowledge … degrade".',
        'Supported if at every level IFEval and TruthfulQA-MC2 are no loss beyond noise, and MMLU is one. Not '
        'supported if that holds at no level.',
        'IFEval, TruthfulQA-MC2 and MMLU at full width and at two pruned widths or more',
        ['ifeval', 'truthfulqa_mc2', 'mmlu']
    )
) as t (claim, title, study_says, test, needs, tasks);
comment on view claim_list is 'One row is one claim of the study, and how it is tested here.';
comment on column claim_list.version is 'The version of the study''s text that makes the claim.';
comment on column claim_list.v3_says is
    'What version 3 (June 2026) changes in it, as far as its abstract goes; null where that says nothing of it.';
comment on column claim_list.study_says is 'Where the study makes the claim, and its words.';
comment on column claim_list.test is
    'What must hold for the claim to be called supported, or not supported; else it is mixed.';
comment on column claim_list.needs is 'What must have been measured.';
comment on column claim_list.tasks is 'The benchmarks that it is about.';
comment on column claim_list.claim is 'Number of the claim, 1 to 11.';
comment on column claim_list.title is 'The claim, in a few words.';
