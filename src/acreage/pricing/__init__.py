"""What a lease costs: one small integer rule per pricing model, used by plan, audit and meter alike.

`rate` says what one accelerator costs a second, `calendar` when a lease is invoiced and at which rate,
`invoice` what is posted in the future at hand, `present_value` what that is worth on the planning day.
"""
