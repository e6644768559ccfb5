"""The books in the formats of others: Beancount for the money, iCalendar for the deadlines."""
