/** How administrators make users. */
export const enNewUser = {
  add: 'Add a user',
  title: 'Add a user',
  lead: 'Whoever has an e-mail address is sent a letter with a link to choose a password.',
  save: 'Add the user',
  cancel: 'Cancel',
  wrong: 'That cannot be. Nothing was added.',
  stale: 'Meanwhile something else was changed. Look again.',
  fields: {
    username: 'Username',
    name: 'Name',
    email: 'E-mail',
    roles: 'Roles',
  },
  hints: {
    username: 'They sign in with it; it may be their e-mail address.',
    email: 'Without one they get no letter: set a password by the API, or let them sign in by another server.',
  },
} as const
