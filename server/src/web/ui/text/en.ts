import { enLetters } from '../../../languages/en_letters.ts'
import type { Catalogue } from '../../../languages/message.ts'
import { enAccount } from './en_account.ts'
import { enAllowConnection } from './en_allow_connection.ts'
import { enConnect } from './en_connect.ts'
import { enConnectSession } from './en_connect_session.ts'
import { enConsent } from './en_consent.ts'
import { enConsole } from './en_console.ts'
import { enErrors } from './en_errors.ts'
import { enOwnData } from './en_own_data.ts'
import { enSecurity } from './en_security.ts'
import { enSignInLink } from './en_sign_in_link.ts'
import { enSignUp } from './en_sign_up.ts'
import { enTokens } from './en_tokens.ts'

/** Every sentence that people read, in English: templates hold none. Other languages are files beside this one. */
export const en = {
  layout: {
    skip: 'Skip to content',
    language: 'Language',
    theme: 'Colours',
    theme_system: 'System',
    theme_light: 'Light',
    theme_dark: 'Dark',
    sign_out: 'Sign out',
    account: 'Your account',
    console: 'Console',
    pages: 'Pages',
    first_page: 'First page',
    next_page: 'Next page',
    same_by_script: 'Do the same by API or command line',
    api: 'API call',
    cli: 'Command line',
    keep: 'Keep',
    title_of: '{page} · {tenant}',
  },
  time: {
    now: 'just now',
    never: 'never',
  },
  /** States of a connection. */
  state: {
    pending: 'Being connected',
    ready: 'Working',
    refreshing: 'Working',
    needs_reconsent: 'Needs you',
    error: 'Not working',
    disconnected: 'Disconnected',
  },
  /** Why a connection needs its owner. */
  reason: {
    revoked: 'Access was taken back at the other service.',
    expired: 'The access has expired.',
    scope_removed: 'A right that is needed was taken away.',
    consent_withdrawn: 'Consent was withdrawn.',
    account_changed: 'Another account was chosen than before.',
    unknown: 'The other service no longer accepts this connection.',
  },
  login: {
    title: 'Sign in',
    to_client: 'to continue to {client}',
    to_tenant: 'to {tenant}',
    again_title: 'Confirm that it is you',
    again: 'Enter your password again to go on as {user}.',
    username: 'Username or e-mail',
    password: 'Password',
    show_password: 'Show',
    show_password_long: 'Show the password',
    submit: 'Sign in',
    or: 'or',
    sign_in_with: 'Continue with {provider}',
    cancel: 'Cancel and return to {client}',
    wrong_credentials: 'The username or the password is not right. Check both and try again.',
    too_many_tries: {
      one: 'Too many tries. Try again in {n} minute.',
      other: 'Too many tries. Try again in {n} minutes.',
    },
    username_missing: 'Enter your username or e-mail.',
    password_missing: 'Enter your password.',
    stale: 'This page was open for too long, so nothing was sent on. Enter your password again.',
  },
  consent: enConsent,
  error: enErrors,
  signed_out: {
    title: 'You are signed out',
    body: 'You can close this page. On a shared computer, close the browser too.',
    again: 'Sign in again',
    back_to: 'Back to {client}',
  },
  sign_out: {
    title: 'Sign out?',
    lead: 'You are signed in as {user}. Signing out ends this session here and in the apps that were opened with it.',
    by_client:
      '{client} asks to sign you out. You are signed in as {user}. Signing out ends this session here and in the apps that were opened with it.',
    confirm: 'Sign out',
    stay: 'Stay signed in',
  },
  setup: {
    step: 'Step {n} of 3',
    title: 'Set up the first administrator',
    lead: 'This account can manage everything on this server. There is no default password, so choose a good one.',
    username: 'Username',
    username_hint: 'You sign in with it. Letters, digits, dots and dashes.',
    name: 'Name',
    email: 'E-mail',
    password: 'Password',
    password_hint: {
      one: 'At least {n} character. A sentence is easier to remember than a riddle.',
      other: 'At least {n} characters. A sentence is easier to remember than a riddle.',
    },
    missing: 'This is needed.',
    username_wrong: 'A username has 1 to 200 characters, all of them visible.',
    name_wrong: 'A name has at most 200 characters.',
    submit: 'Create administrator',
  },
  account: enAccount,
  arrival: {
    nobody: 'No account is linked',
    nobody_body:
      'Nobody here has linked {account} of {provider}. Sign in as you do otherwise, and link it on your security page.',
    taken: 'That account is linked already',
    taken_body: '{account} of {provider} signs in somebody else here. Nothing was changed.',
    refused: 'You were not signed in',
    refused_body: 'You or {provider} refused. If that was not what you wanted, try again.',
    failed: 'Signing in did not work',
    failed_body: '{provider} did not answer as it should, or the answer came twice or too late. Try again in a moment.',
    other_browser: 'This was started somewhere else',
    other_browser_body:
      'A sign-in by {provider} counts only in the browser where it was started. Start again from here.',
    go_on: 'Continue',
  },
  device: {
    title: 'Connect a device',
    lead: 'Your device shows a code. Enter it here.',
    user_code: 'Code',
    user_code_hint: 'Eight letters, such as WDJB-MJHT. Hyphen and capitals do not matter.',
    go_on: 'Continue',
    unknown: 'No device waits with this code. Compare it with your device: codes change after ten minutes.',
    answered: 'This code has been answered already. If your device still waits, start again there.',
    too_many: {
      one: 'Too many wrong codes. Try again in {n} minute.',
      other: 'Too many wrong codes. Try again in {n} minutes.',
    },
    question: 'Allow {client} on your device?',
    warning:
      'Allow it only if you started this yourself, on a device in front of you. If somebody sent you the code or the link, cancel: they would get into your account.',
    compare: 'Is this the code on your device?',
    asked_from: 'Asked from',
    asked_by: 'Device',
    asked_at: 'Asked',
    cancel: 'Cancel',
    allow: 'Allow',
    allowed: '{client} can continue',
    allowed_body: 'Go back to your device: it continues by itself. You can take this back in your account at any time.',
    denied: 'Nothing was allowed',
    denied_body: '{client} gets no access. You can close this page.',
  },
  connect: enConnect,
  allow_connection: enAllowConnection,
  broker: {
    down: '{primary} cannot be reached now',
    down_start_body: 'Nothing has been asked of {provider} yet. Try again in a moment.',
    down_body:
      'You have answered {provider}, and nothing is lost: the answer waits here for a few minutes and was not used yet. Try again in a moment.',
    busy: 'Too many started at once',
    busy_body: 'Nothing has been asked of {provider} yet. Wait a minute, then try again.',
    carry: 'One more step',
    carry_body:
      '{primary} did not answer in time. Continue, and your browser takes the answer of {provider} there: encrypted, so that nobody on the way can read it.',
    over: 'This came twice or too late',
    over_body: 'Such a link counts once, and for ten minutes. Go back to where you started, and start again.',
    other_browser: 'This was started somewhere else',
    other_browser_body: 'An account can be connected only in the browser where you started. Nothing was passed on.',
    not_found: 'There is nothing here',
    not_found_body: 'This server only brings people back to where they connect accounts.',
    broken: 'Something went wrong here',
    broken_body: 'That is not your fault. Go back to where you started, and start again.',
    primary: 'The server',
    provider: 'the provider',
    try_again: 'Try again',
    go_on: 'Continue',
  },
  form_post: {
    title: 'Back to the application',
    go_on: 'Continue',
  },
  /** The scopes of OpenID Connect (Core sections 5.4 and 11) and of our own API, in plain words. */
  scopes: {
    openid: 'Know who you are here',
    profile: 'See your name and profile',
    email: 'See your e-mail address',
    address: 'See your postal address',
    phone: 'See your phone number',
    offline_access: 'Stay connected while you are away',
    'admin:read': 'See all settings, users and events of this server',
    'admin:write': 'Change all settings and users of this server',
  },
  connect_session: enConnectSession,
  security: enSecurity,
  own_data: enOwnData,
  sign_up: enSignUp,
  sign_in_link: enSignInLink,
  tokens: enTokens,
  console: enConsole,
  letters: enLetters,
} as const satisfies Catalogue

/** The catalogue as templates see it: the English messages are its types, so a misspelt hole does not compile. */
export type Text = typeof en

/** A translation in the place of the English catalogue; that it has the same holes is decided when it is read. */
export function asText(translation: Catalogue): Text {
  return translation as unknown as Text
}
