update paired_deltas p
set share_low = s.share_low, share_high = s.share_high, share_p = s.share_p
from pairing_shares s
where p.share_low is null and p.lost = s.lost and p.gained = s.gained and p.pairs = s.pairs;
