select metric, preference from metric_order;
