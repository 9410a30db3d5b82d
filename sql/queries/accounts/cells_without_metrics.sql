select c.run_id, c.seq from cells c anti join metrics m using (run_id, seq) order by c.run_id, c.seq;
