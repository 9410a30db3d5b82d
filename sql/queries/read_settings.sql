-- A screen's chosen models have tens of runs among ten thousand: rows of others are then passed over as they are read.
set dynamic_or_filter_threshold = 5000;
