/** How people sign in by a link to their mailbox. */
export const enSignInLink = {
  offer: 'E-mail me a link instead',
  sent_title: 'Check your e-mail',
  sent: 'If {name} has an account here with a confirmed e-mail address, a link is on its way. Open it in this browser within 10 minutes.',
  elsewhere_hint:
    'Do you read your e-mail on another device? Open the link there, and type the code that it shows here.',
  code: 'Code',
  code_hint: 'Eight letters, such as WDJB-MJHT.',
  code_missing: 'Type the code.',
  code_wrong: 'That is not the code, or it has expired. Compare it with the page that the link opened.',
  submit_code: 'Sign in',
  back: 'Sign in another way',
  title: 'Sign in as {user}?',
  to_client: 'to continue to {client}',
  at_tenant: 'at {tenant}',
  former: 'You are signed in here as {user}. If you go on, that ends.',
  submit: 'Sign in',
  code_title: 'Your code',
  code_lead:
    'This link was asked for somewhere else, and signs nobody in here. To sign in as {user} there, type this code:',
  code_warning:
    'Type it only where you asked for it yourself, at {host}. Whoever gets it from you, by whatever story, gets into your account.',
  here: 'Sign in here',
  over_title: 'This link no longer works',
  over: 'A link works once, for 10 minutes, and until you ask for a newer one. If you still want to sign in, ask for another.',
  again: 'Go to the sign-in page',
} as const
