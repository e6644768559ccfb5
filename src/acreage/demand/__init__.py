"""What will be wanted, and how sure that is: mean demand a period and the futures around it."""
