-- What does not fit is written to disk: a bundle may hold more documents than a machine has memory for.
set memory_limit = '1GB';
