-- Bits per byte are a logarithm already.
create or replace macro is_perplexity(metric) as metric in ('perplexity', 'word_perplexity', 'byte_perplexity');
comment on macro is_perplexity is 'Whether changes of a metric are factors, compared on the log scale.';
