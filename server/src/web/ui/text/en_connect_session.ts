/** What a person reads whom a platform asks to connect an account, in English. */
export const enConnectSession = {
  start: 'Connect {provider} for {client}',
  start_lead: '{client} asks you for this. You sign in at {provider}, and your password is never seen here.',
  choose: 'Connect an account for {client}',
  choose_lead: 'Choose where the account is that {client} is to use.',
  go_to: 'Continue to {provider}',
  invitation: '{client} asks for an account of {provider}',
  invitation_lead:
    'Somebody who uses {client} sent you this link. If you go on, {client} can use the account of {provider} that you choose there, until it is taken back.',
  invitation_warning:
    'Go on only if you know who sent it and why. Nobody needs your password for this, nor a code that you get.',
  asked_by: 'Asked by',
  owner: 'On behalf of',
  kept_at: 'Kept at',
  expected_account: 'Account',
  until: 'Link ends',
  done: 'Your {provider} account is connected',
  done_body: 'Go back to {client}: it goes on by itself. You can close this window.',
  seen_body: 'Somebody at {client} looks at {account} before it is used. You can close this page.',
  over: 'This link has been used or is too old',
  over_body:
    'It works once, for a short time, and in one browser. Nothing was changed. Start again where you came from.',
  other_user: 'This was meant for somebody else',
  other_user_body:
    'You are signed in as {user}, and {client} asked another user to connect an account. Nothing was changed.',
  unexpected: 'That is another account',
  unexpected_body:
    '{client} asked for {account}, and {provider} does not say that this is it. Nothing was stored. Try again, and choose that account there.',
  back: 'Back to {client}',
} as const
