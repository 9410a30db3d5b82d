-- Answers on their way into a bundle.
create temp table answers (
    run_id varchar, level varchar, task varchar, doc_id integer, log_likelihoods double[], greedy boolean[],
    texts varchar[]
);
