/** The page on which somebody allows an app that they use already to use one of their connected accounts. */
export const enAllowConnection = {
  title: 'Allow {client} to use your {provider} account?',
  page_title: 'Allow {client}?',
  through:
    '{client} asked {server} for something that needs your account at {provider}. {server} will use it for {client} alone.',
  directly: '{client} asks to use your account at {provider}.',
  which: 'Which {provider} account?',
  none: 'You have not connected an account at {provider} yet.',
  missing: 'Choose an account, or say no.',
  actions: 'What may be done with it?',
  read: 'Only read',
  read_hint: 'Nothing there can be changed.',
  write: 'Read and change',
  only_read: 'It can only read. Nothing there can be changed.',
  until: 'Ends',
  until_grant: 'When the access of {client} ends',
  server: 'Used by',
  password: 'Your password for {provider} and the keys to your account stay here.',
  allowed: '{client} may use {account}',
  allowed_body:
    'You can go back to {client} now and let it try again. You can take this back at any time under “Your account”.',
  refused: 'Nothing was allowed',
  refused_body: '{client} cannot use your account at {provider}.',
  over: 'This link is no longer good',
  over_body: 'It was for an access that has ended, or it is older than a day. Go back to the app and let it ask again.',
  other_user: 'This link is for somebody else',
  other_user_body:
    'You are signed in as {username}, and the app asked for another account. Sign out and open the link again as the one it was meant for.',
  only_read_right: 'Only read, nothing is changed',
  through_right: 'Only through {server}',
} as const
