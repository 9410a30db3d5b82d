-- What a document adds to a metric that is made of all documents at once: F1, Matthews' correlation, BLEU, chrF, TER.
alter table samples add column terms double[];
comment on column samples.terms is
    'What the document adds to a metric of all documents at once: [right class, chosen class] for F1 and MCC; counts of '
    'n-grams or edits for BLEU, chrF and TER, as sacrebleu sums them. Null where value says it.';
