/** Titles of seeded tasks: a verb, a thing and a reason. */
export const verbs = [
  'Write',
  'Review',
  'Plan',
  'Fix',
  'Test',
  'Deploy',
  'Call',
  'Order',
  'Pay',
  'Clean up',
  'Draft',
];
export const things = [
  ...['the quarterly report', 'the budget', 'invoices', 'the release notes', 'the login page', 'backups'],
  ...['the onboarding guide', 'travel to Lisbon', 'the database index', 'the team dinner', 'a new laptop'],
];
export const reasons = [
  'as the customer asked',
  'before the audit',
  'for the offsite',
  'with Grace',
  'after the merge',
];
