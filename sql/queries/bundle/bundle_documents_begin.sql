-- Documents on their way into a bundle.
create temp table documents (
    run_id varchar, task varchar, doc_id integer, doc_hash blob, prompts varchar[], choices varchar[], target varchar
);
