-- Statements that somebody with ill will, or a mistake, could give to the console. One after each line that begins
-- with `-- @`, which says what it tries. {folder}, {database} and the like are filled in by benchmarks/hostile_sql.py.

-- @ write: a row
insert into runs (run_id) values ('x')
-- @ write: change rows
update metrics set value = 1
-- @ write: delete rows
delete from metrics
-- @ write: delete rows inside explain analyze
explain analyze delete from metrics
-- @ write: delete rows and read them
delete from metrics returning *
-- @ write: truncate
truncate metrics
-- @ write: merge
merge into metrics using (select 1 as x) s on (value = x) when matched then delete
-- @ write: a table
create table mine (x int)
-- @ write: a temporary table
create temp table mine as select 1
-- @ write: a view
create or replace view baseline_deltas as select 1
-- @ write: a temporary view
create temp view mine as select 1
-- @ write: a macro
create or replace macro mine(x) as x
-- @ write: a type
create type mine as enum ('a')
-- @ write: a sequence
create sequence mine
-- @ write: a schema
create schema mine
-- @ write: an index
create index mine on metrics (value)
-- @ write: alter a table
alter table runs add column x int
-- @ write: drop a table
drop table metrics
-- @ write: drop a view
drop view if exists baseline_deltas
-- @ write: a comment
comment on table metrics is 'mine'
-- @ write: vacuum
vacuum
-- @ write: checkpoint
checkpoint
-- @ write: force a checkpoint from a select
select * from force_checkpoint()
-- @ write: a transaction
begin transaction
-- @ write: a prepared statement
prepare mine as delete from metrics
-- @ write: run a prepared statement
execute mine(1)
-- @ write: after a harmless statement
select 1; drop table metrics
-- @ write: after a comment
/* select 1 */ -- select 2
drop table metrics
-- @ write: behind an unfinished comment
select 1 /* ; */ ; drop table metrics -- */
-- @ write: by query()
select * from query('drop table metrics')
-- @ write: by query() with two statements
select * from query('select 1; drop table metrics')
-- @ write: from a pivot's preparation
pivot (select 1 as a) on a using sum(a); drop table metrics

-- @ file: copy a table out
copy metrics to '{folder}/out.csv'
-- @ file: copy a query out as Parquet
copy (select 1) to '{folder}/out.parquet' (format parquet)
-- @ file: copy to standard output
copy (select 1) to '/dev/stdout'
-- @ file: copy out inside explain analyze
explain analyze copy (select 1) to '{folder}/out.csv'
-- @ file: copy in
copy metrics from '{folder}/secret.csv'
-- @ file: copy a database
copy from database results to memory
-- @ file: export the database
export database '{folder}/out'
-- @ file: import a database
import database '{folder}'
-- @ file: import a database by pragma
pragma import_database('{folder}')
-- @ file: attach a database
attach '{folder}/other.duckdb' as other
-- @ file: attach one in memory
attach ':memory:' as other
-- @ file: attach this one to write
attach '{database}' as again (read_write)
-- @ file: detach this one
detach results
-- @ file: a CSV by its name
from '{folder}/secret.csv'
-- @ file: a CSV by its name, inside a subquery
select (select a from '{folder}/secret.csv')
-- @ file: a CSV by query_table
from query_table('{folder}/secret.csv')
-- @ file: a CSV by query()
from query('from ''{folder}/secret.csv''')
-- @ file: describe a CSV
describe '{folder}/secret.csv'
-- @ file: summarize a CSV
summarize '{folder}/secret.csv'
-- @ file: explain analyze a CSV
explain analyze from '{folder}/secret.csv'
-- @ file: read_csv
from read_csv('{folder}/secret.csv')
-- @ file: read_csv with a file of rejects
from read_csv('{folder}/secret.csv', store_rejects = true)
-- @ file: sniff_csv
from sniff_csv('{folder}/secret.csv')
-- @ file: read_json
from read_json('{folder}/secret.csv')
-- @ file: read_json_objects
from read_json_objects('{folder}/secret.csv')
-- @ file: read_parquet
from read_parquet('{folder}/x.parquet')
-- @ file: parquet_metadata
from parquet_metadata('{folder}/x.parquet')
-- @ file: read_text
from read_text('{folder}/*')
-- @ file: read_text of the environment
from read_text('/proc/self/environ')
-- @ file: read_blob
from read_blob('/etc/passwd')
-- @ file: glob
from glob('{folder}/*')
-- @ own: this database's own file, as it may be read anyhow
from read_blob('{database}')
-- @ file: read_duckdb
from read_duckdb('{database}')
-- @ file: a symbolic link out of the folder
from read_text('{folder}/link')
-- @ file: standard input
from read_csv('/dev/stdin')
-- @ file: write over this database
copy (select 1) to '{database}' (use_tmp_file false, format csv)
-- @ file: write over this database inside explain analyze
explain analyze copy (select 1) to '{database}' (use_tmp_file false, format csv)
-- @ file: the same, in options
explain (analyze) copy (select 1) to '{database}' (use_tmp_file false, format csv)
-- @ file: the same, behind a comment in the options
explain (analyze /*) select 1 -- */ ) copy (select 1) to '{database}' (use_tmp_file false, format csv)
-- @ file: the same, of its log
explain analyze copy (select 1) to '{database}.wal' (use_tmp_file false, format csv)
-- @ file: write a pivot over this database
copy (pivot (select 1 as a) on a using sum(a)) to '{database}' (use_tmp_file false, format csv)
-- @ file: the same, behind nested comments
/* /* */ select */ copy (pivot (select 1 as a) on a using sum(a)) to '{database}' (use_tmp_file false, format csv)
-- @ file: the same, inside explain analyze
explain analyze copy (pivot (select 1 as a) on a using sum(a)) to '{database}' (use_tmp_file false, format csv)
-- @ write: create inside explain analyze
explain analyze create temp table mine as select 1
-- @ network: a URL by its name
from 'https://example.invalid/x.parquet'
-- @ network: read_text of a URL
from read_text('http://127.0.0.1:9/x')
-- @ network: an object store
from read_parquet('s3://bucket/x.parquet')
-- @ network: copy to an object store
copy (select 1) to 's3://bucket/x.parquet'

-- @ extension: install
install httpfs
-- @ extension: install from a place
install spatial from 'http://127.0.0.1:9'
-- @ extension: force install
force install httpfs
-- @ extension: load
load httpfs
-- @ extension: load a file
load '{folder}/mine.duckdb_extension'
-- @ extension: update
update extensions
-- @ extension: load by use
select st_point(1, 2)

-- @ setting: external access on
set enable_external_access = true
-- @ setting: unlock
set lock_configuration = false
-- @ setting: unlock for the session
set session lock_configuration = false
-- @ setting: unlock everywhere
set global lock_configuration = false
-- @ setting: unlock by pragma
pragma lock_configuration = false
-- @ setting: reset the lock
reset lock_configuration
-- @ setting: more memory
set memory_limit = '100GB'
-- @ setting: more memory by pragma
pragma memory_limit = '100GB'
-- @ setting: more time
set max_execution_time = 0
-- @ setting: threads
reset threads
-- @ setting: a place for temporary files
set temp_directory = '{folder}'
-- @ setting: allowed folders
set allowed_directories = ['{folder}']
-- @ setting: file systems
set disabled_filesystems = ''
-- @ setting: home folder
set home_directory = '{folder}'
-- @ setting: a log of queries
set log_query_path = '{folder}/log'
-- @ setting: profiling into a file
pragma profiling_output = '{folder}/profile'
-- @ setting: profiling
pragma enable_profiling = 'json'
-- @ setting: progress bar
pragma enable_progress_bar
-- @ setting: Python variables as tables
set python_enable_replacements = true
-- @ setting: extensions without signature
set allow_unsigned_extensions = true
-- @ setting: a variable
set variable x = (select 1)
-- @ setting: another schema
use memory
-- @ setting: logging by call
call enable_logging(storage = 'file', storage_path = '{folder}/log')
-- @ setting: logging from a select
from enable_logging(storage = 'file', storage_path = '{folder}/log')
-- @ setting: profiling from a select
from enable_profiling(save_location = '{folder}/profile')
-- @ setting: a secret
create secret (type http, bearer_token 'x')
-- @ setting: a kept secret
create persistent secret mine (type http, bearer_token 'x')
-- @ setting: a secret's end
drop secret mine

-- @ secret: list the secrets
from duckdb_secrets(redact = false)
-- @ secret: which secret
from which_secret('s3://bucket/x', 's3')
-- @ secret: an environment variable
select getenv('HOSTILE_CANARY')
-- @ secret: a variable of Python
from request
-- @ secret: a module of Python
from sys
-- @ secret: a variable of SQL
select getvariable('x') as x
-- @ secret: the settings
select * from duckdb_settings() where value like '%canary%'
-- @ secret: temporary files
from duckdb_temporary_files()
-- @ secret: a log entry
select write_log('canary', level := 'error')
-- @ program: a shell command
select system('touch {folder}/ran')
-- @ program: a command of the shell of duckdb
.shell touch {folder}/ran
-- @ program: SQL inside JSON
from json_execute_serialized_sql(json_serialize_sql('from read_text(''/etc/passwd'')'))

-- @ time: a product of tables
select count(*) from range(1000000) a, range(1000000) b
-- @ time: a recursion without end
with recursive r(n) as (select 1 union all select n + 1 from r) select max(n) from r
-- @ time: a recursion that doubles
with recursive r(n) as (select 1 union all select n + x from r, range(2) t(x)) select count(*) from r
-- @ time: a sum of a long series
select sum(i) from generate_series(1, 1000000000000) t(i)
-- @ time: a series of moments
select count(*) from generate_series(timestamp '0001-01-01', timestamp '9999-01-01', interval 1 microsecond)
-- @ time: an edit distance
select levenshtein(repeat('a', 1000000), repeat('b', 1000000))
-- @ time: a regular expression
select regexp_matches(repeat('a', 50000000), '(a?){{900}}a{{900}}b') from range(1000) t(i) where i > random()
-- @ time: explain analyze of a product
explain analyze select count(*) from range(1000000) a, range(1000000) b

-- @ memory: a long string
select length(repeat('x', 2000000000)) as n
-- @ memory: many long strings
select sum(length(repeat('x', 400000000 + i::int))) as n from range(20) t(i)
-- @ memory: a padded string
select length(lpad('x', 2000000000, 'y')) as n
-- @ memory: a format
select length(printf('%2000000000d', 1)) as n
-- @ memory: a long list
select list_sum(range(3000000000)) as n
-- @ memory: a list made longer
select len(list_resize([1], 4000000000)) as n
-- @ memory: a long bit string
select bit_length(bitstring('1', 2000000000)) as n
-- @ memory: strings joined
select length(string_agg(repeat('x', 1000000), '')) as n from range(100000)
-- @ memory: a sort
select i from range(1000000000) t(i) order by hash(i)
-- @ memory: distinct values
select count(distinct hash(i)) from range(10000000000) t(i)
-- @ memory: a pivot with a million columns
pivot (select i, 1 as v from range(1000000) t(i)) on i using sum(v)
-- @ memory: grouping sets
select count(*) from range(1000000) t(i) group by cube ({columns})
-- @ memory: a result without end
select * from range(1000000000000)
-- @ memory: a result of long rows
select repeat('x', 300000000) as x
-- @ memory: a result of many wide rows
select repeat('x', 100000) as x from range(100000)

-- @ parser: deep parentheses
select {open}1{close}
-- @ parser: deep subqueries
{selects}select 1{ends}
-- @ parser: a long sum
select 1{plus}
-- @ parser: deep lists
select {brackets}{ends_brackets}
-- @ parser: deep JSON
select json_extract('{brackets}{ends_brackets}', '$[0]') is null as x
-- @ parser: a statement of many megabytes
select '{long}'
-- @ parser: a null byte
select '{null}' as x
-- @ parser: nothing
;;;
