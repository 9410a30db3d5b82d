-- Whoever waits at a screen gave up long ago, and the run that wants to write waits for the file. Milliseconds.
set max_execution_time = 60000;
