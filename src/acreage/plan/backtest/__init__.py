"""A rolling backtest: plan, sign what cannot wait, live through a month, plan again; then see what each month cost."""
