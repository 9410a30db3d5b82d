-- How many values of each column can be none of a run's. Null is no value.
select {checks} from read_parquet($path);
