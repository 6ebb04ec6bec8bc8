/** What stands in letters, in English. */
export const enLetters = {
  reset: {
    subject: 'Reset your password at {tenant}',
    why: 'Somebody, we hope you, asked for a new password for the account {username} at {tenant}.',
    what: 'The link works once, for 15 minutes. With the new password every session and every connected app of the account ends.',
    link: 'Choose a new password',
    otherwise: 'If it was not you, do nothing: your password stays as it is.',
  },
  confirm: {
    subject: 'Confirm your e-mail address at {tenant}',
    why: 'The account {username} at {tenant} names this address as its own.',
    what: 'Open the link where you are signed in. It works once, for 15 minutes.',
    link: 'Confirm the address',
    otherwise: 'If this is not your account, do nothing.',
  },
  sign_in: {
    subject: 'Sign in to {tenant}',
    why: 'Somebody, we hope you, wants to sign in to the account {username} at {tenant}.',
    what: 'Open the link in the browser where you asked for it. Opened elsewhere it shows a code, which you type there. It works once, for 10 minutes.',
    link: 'Sign in',
    otherwise: 'If it was not you, do nothing, and give nobody the link or the code: without them nobody gets in.',
  },
  sign_up: {
    subject: 'Your account at {tenant}',
    why: 'Somebody, we hope you, wants an account at {tenant} with this address.',
    what: 'Open the link in the browser where you began. It works once, for 15 minutes.',
    link: 'Create the account',
    otherwise: 'If it was not you, do nothing: there will be no account.',
  },
  known: {
    subject: 'You have an account at {tenant}',
    why: 'Somebody, we hope you, wants an account with this address. You have one already: {username} at {tenant}.',
    what: 'Sign in with it. If you have forgotten the password, the sign-in page helps you to a new one.',
    link: 'Sign in',
    otherwise: 'If it was not you, do nothing: nothing has changed.',
  },
  invited: {
    subject: 'Your account at {tenant}',
    why: 'You were given the account {username} at {tenant}.',
    what: 'Choose a password for it. The link works once, for seven days.',
    link: 'Choose a password',
    otherwise: 'If you expected no account, do nothing.',
  },
  changed: {
    subject: 'Your sign-in at {tenant} has changed',
    why: 'For the account {username} at {tenant}: {change}.',
    fine: 'If that was you, there is nothing to do.',
    otherwise: 'If it was not, reset your password at once, and end what you do not know on your account page.',
    account: 'Your account: {url}',
  },
  /** Each follows a colon. */
  changes: {
    password: 'the password was changed',
    password_reset: 'the password was reset by a link to this mailbox, and everything that was signed in has ended',
    passkey_added: 'a passkey was added',
    passkey_removed: 'a passkey was removed',
    totp_added: 'an authenticator app was set up',
    totp_removed: 'the authenticator app was turned off',
    recovery_codes: 'new recovery codes were made, and the former ones no longer work',
    recovery_code_used: 'somebody signed in with one of the recovery codes',
    email: 'the e-mail address was changed to another one',
    token_made: 'a token for scripts was made: whoever has it can act in your name',
  },
  deleted: {
    subject: 'Your account at {tenant} is deleted',
    why: 'The account {username} at {tenant} was deleted, with what was known of its owner.',
    what: 'Apps have no access through it any more, and accounts that were connected to it are disconnected.',
    otherwise: 'If that was not you, write to {tenant}: the account itself cannot be brought back.',
  },
  signature: 'This letter was sent by {issuer}.',
} as const

/** The part of a catalogue that letters are written from. */
export type LetterTexts = { readonly letters: typeof enLetters }
