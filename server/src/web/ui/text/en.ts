import { enAllowConnection } from './en_allow_connection.ts'
import { enConnectSession } from './en_connect_session.ts'
import { enConsole } from './en_console.ts'
import { enSecurity } from './en_security.ts'
import { enSignUp } from './en_sign_up.ts'
import type { Message } from './say.ts'

/** Every sentence that people read, in English. Templates hold none; a translator copies this file and edits values. */
export const en = {
  layout: {
    skip: 'Skip to content',
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
  consent: {
    title: 'Allow {client} to use your account?',
    page_title: 'Allow {client}?',
    verified: 'Verified',
    unverified: 'Not verified',
    publisher: 'by {publisher}',
    unverified_warning: 'Nobody has checked who runs {client}. Allow it only if you know it and started this yourself.',
    loopback_warning:
      'Any program on this computer can call itself {client}. Allow it only if you have just started it here yourself.',
    signed_in: 'Signed in as {username}',
    not_you: 'Not you?',
    what: '{client} will be able to',
    read: 'Read',
    change: 'Change',
    away: 'While you are away',
    new: 'New',
    new_note: 'You have allowed {client} before. What is new is marked.',
    optional: 'Optional',
    role: 'In which of your roles may {client} act?',
    role_gives_nothing: 'Gives nothing of the above',
    connections: 'Which {provider} account may {client} use?',
    no_connection: 'None',
    connect_one: 'Connect your {provider} account',
    connect_another: 'Connect another {provider} account',
    connection_needs_you: 'must be reconnected first',
    reconnect: 'Reconnect {account}',
    until: 'Access ends',
    until_revoked: 'When you take it back',
    until_session: 'When you sign out',
    until_expires: 'After {duration}',
    facts: 'Where this goes',
    published_at: 'from {host}',
    returns_to: 'Returns to',
    returns_to_loopback: 'A program on this computer ({host})',
    returns_to_app: 'An app on this device ({scheme})',
    resources: 'For use at',
    client_id: 'Client ID',
    deny: 'Deny',
    allow: 'Allow',
    take_back: 'You can take this back at any time under “Your account” at {tenant}.',
  },
  error: {
    page_title: 'Something is not right',
    untrusted_redirect: {
      title: 'This link does not lead back safely',
      body: 'The application asked to return to an address that is not registered for it. To protect you, nothing was sent there. Go back to the application and start again, or tell the people who run it.',
    },
    unknown_client: {
      title: 'This application is not known here',
      body: 'The link that brought you here names an application that is not registered, or that was switched off. Tell the people who run it.',
    },
    bad_request: {
      title: 'This request cannot be answered',
      body: 'Something in the link that brought you here is missing or wrong. Go back to the application and start again.',
    },
    expired: {
      title: 'This page has expired',
      body: 'For your safety a sign-in must be finished within an hour. Nothing has changed. Start again, here or in the application.',
    },
    forged: {
      title: 'This form did not come from this page',
      body: 'It was sent from another site, or the page was open for too long. Nothing has changed. Open the page again and repeat what you did.',
    },
    setup_link: {
      title: 'This link has been used or has expired',
      body: 'The link for the first administrator works once and for 15 minutes. Start the server again to get a new one in its terminal.',
    },
    forbidden: {
      title: 'You may not see this page',
      body: 'Your account does not have the right that this page needs. Ask an administrator if you think it should.',
    },
    not_found: {
      title: 'There is no such page',
      body: 'The address may be mistyped, or what it named is gone.',
    },
    too_many: {
      title: 'Too many tries',
      body: 'This was tried too often in a short time. Nothing has changed. Wait a few minutes, then try again; nobody has to unlock anything.',
    },
    unavailable: {
      title: 'Not possible at the moment',
      body: 'This server is switched off or has too much to do. Nothing has changed. Try again in a moment.',
    },
    server_error: {
      title: 'Something went wrong here',
      body: 'This is our fault, not yours. Nothing has changed. Try again in a moment; if it stays so, send the request ID to the people who run this service.',
    },
    details: 'For the developer of the application',
    code: 'Error',
    description: 'Description',
    request_id: 'Request ID',
    to_account: 'Go to your account',
    to_start: 'Start again',
  },
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
    submit: 'Create administrator',
  },
  account: {
    title: 'Your account',
    apps: 'Apps that can use your account',
    apps_lead: 'You allowed these. Take back what you no longer use.',
    apps_empty: 'No app can use your account',
    apps_empty_body: 'When you allow an app to use your account, it stands here with all that it may do.',
    since: 'Allowed {when}',
    last_used: 'Last used {when}',
    never_used: 'Not used yet',
    ends: 'Ends {when}',
    may: 'May',
    uses: 'uses your {provider} account {account}',
    chain: '{client} uses your connected accounts',
    change_app: 'Change',
    change_app_of: 'Change what {client} may do',
    change_app_title: 'What may {client} do?',
    change_app_hint: 'What you take back is gone at once. To give it again, the app has to ask you.',
    change_app_cancel: 'Cancel',
    change_app_save: 'Save',
    open_app: 'Open',
    remove_app: 'Remove access',
    remove_app_title: 'Remove access of {client}?',
    remove_app_ends: 'It can no longer use your account, on any of your devices.',
    remove_app_ends_connections: 'It can no longer use the accounts that you connected. They stay connected.',
    remove_app_keeps: 'What it has already read or stored is not deleted.',
    connections: 'Connected accounts',
    connections_lead: 'Your accounts at other services that apps may use through {tenant}.',
    connections_empty: 'No account is connected',
    connections_empty_body:
      'Connect an account at another service, and the apps you allow can use it without its password.',
    connected: 'Connected {when}',
    used_by: 'Used by {client}',
    used_by_none: 'No app uses it',
    connect: 'Connect {provider}',
    connect_heading: 'Connect an account',
    reconnect: 'Reconnect',
    change_end: 'Change end',
    change_end_of: 'Change when access to {account} ends',
    change_end_title: 'When does access to {account} end?',
    change_end_never: 'When you disconnect it',
    change_end_hint: 'Counted from now. At the end the stored access is destroyed, as if you had disconnected it.',
    lapses: '{provider} ends this access {when}. Reconnect it before, and nothing stops working.',
    disconnect: 'Disconnect',
    disconnect_title: 'Disconnect {account}?',
    disconnect_ends: 'The stored access to {provider} is destroyed, and taken back at {provider} where it allows that.',
    disconnect_ends_all:
      '{provider} may take everything back that this account has ever allowed here, and end its other connections too.',
    disconnect_ends_app: '{client} can no longer use it.',
    tokens: 'Tokens for scripts',
    tokens_lead: 'Whoever has one of these can act as you, until you delete it.',
    delete_token: 'Delete',
    delete_token_title: 'Delete {token}?',
    delete_token_ends: 'Whatever uses it stops at once. It cannot be brought back.',
    sessions: 'Where you are signed in',
    this_session: 'This one',
    signed_in: 'Signed in {when}',
    last_seen: 'Last seen {when}',
    from: 'from {ip}',
    end_session: 'Sign out',
    end_session_of: 'Sign out {device}',
    end_others: 'Sign out everywhere else',
    end_others_title: 'Sign out everywhere else?',
    end_others_ends:
      'All other browsers and devices must sign in again. Apps that work only while you are signed in stop there.',
  },
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
    too_many: 'Too many wrong codes. Try again in {minutes} min.',
    question: 'Allow {client} on your device?',
    warning:
      'Allow it only if you started this yourself, on a device in front of you. If somebody sent you the code or the link, refuse: they would get into your account.',
    compare: 'Is this the code on your device?',
    asked_from: 'Asked from',
    asked_by: 'Device',
    asked_at: 'Asked',
    deny: 'Refuse',
    allow: 'Allow',
    allowed: '{client} may go on',
    allowed_body:
      'Go back to your device: it goes on by itself. You can take the access back in your account at any time.',
    denied: 'Nothing was allowed',
    denied_body: '{client} gets no access. You can close this page.',
  },
  connect: {
    connected: 'Your {provider} account is connected',
    connected_body: 'Apps that you allow can now use {account}. Your password for {provider} was never seen here.',
    reconnected: 'Your {provider} account works again',
    reconnected_body: '{account} is connected again. Apps that use it go on by themselves.',
    refused: 'Nothing was connected',
    refused_body: 'You or {provider} refused the access. If that was not what you wanted, try again.',
    failed: 'The connection did not work',
    failed_body: '{provider} did not answer as it should. Nothing was stored or changed. Try again in a moment.',
    over: 'This answer came twice or too late',
    over_body:
      'An answer of {provider} counts once, and for ten minutes. Look at your account for what is connected, or start again.',
    other_browser: 'This was started somewhere else',
    other_browser_body:
      'An account can be connected only in the browser where you started. Nothing was stored. Start again from here.',
    other_account: 'That is another account',
    other_account_body:
      'This connection belongs to another {provider} account than the one you chose. Nothing was changed. Try again with the right one.',
    connector_fault: '{provider} is not set up rightly here',
    connector_fault_body:
      'That is not your fault, and trying again will not help. Tell an administrator and name the request ID.',
    try_again: 'Try again',
    go_on: 'Continue',
    provider_said: '{provider} says: {said}',
    request_id: 'Request ID: {request_id}',
    confirm_title: 'Connect this {provider} account?',
    confirm_body: 'Make sure that it is yours. Apps that you allow act there in its name.',
    account: 'Account',
    owner: 'Connected to',
    rights: 'Rights',
    confirm: 'Connect',
    cancel: 'Cancel',
    key: 'API key',
    key_name: 'Name or API key',
    key_password: 'Password or secret key',
    key_title: 'Connect {provider} by a key',
    key_body:
      'Make a key at {provider}, and type it here. It is kept sealed and never shown again, and you can take it back at any time.',
    key_wrong_pair:
      'That cannot be sent. A name has no colon in it, and neither of the two is empty or has line breaks.',
    key_wrong: 'That cannot be a key. Check that it was copied whole, without spaces or line breaks around it.',
    key_title_plain: 'Connect {provider}',
    ask_client:
      'This connection is nobody’s account: whoever you allow to use it acts at {provider} as this server itself.',
    ask_assertion:
      'This server signs for itself at {provider}, or in the name of somebody there who let it. Whoever you allow to use this connection acts as that one.',
    ask_password:
      'Type your name and password of {provider}. The password is sent there once and kept nowhere; choose another way where {provider} has one.',
    device_body: 'Allow it at {provider}, on this device or on another one. This page goes on by itself.',
    device_open: 'Open {uri}',
    device_go: 'Open it here',
    device_qr: 'The same address, to scan',
    device_type: 'Type this code, or compare it with the one that you see there',
    device_back: 'Allow it, and come back. The code is good for {minutes} min.',
    device_check: 'Look now',
    ask_as: 'Known there as',
    ask_subject: 'In the name of',
    ask_subject_hint: 'As the other side calls the account. Leave it empty to act as the server itself.',
    ask_username: 'Name',
    ask_password_label: 'Password',
    ask_wrong: 'That cannot be sent. It must have no line breaks, and at most 255 characters.',
    choose_title: 'Which one at {provider}?',
    choose_body:
      '{account} may use several there. Apps that you allow will use the one that you choose. Connect again for another.',
  },
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
  sign_up: enSignUp,
  console: enConsole,
} as const satisfies Catalogue

/** The shape of any catalogue: messages in named groups. */
export interface Catalogue {
  readonly [key: string]: Message | Catalogue
}

/** The catalogue as templates see it: the English messages are its types, so a misspelt hole does not compile. */
export type Text = typeof en

/** What a translation has to provide: every message, each a sentence or its plural forms. */
export type Translation<C = Text> = {
  readonly [K in keyof C]: C[K] extends string
    ? string
    : C[K] extends { readonly other: string }
      ? Exclude<Message, string>
      : Translation<C[K]>
}

/** A translation in the place of the English catalogue; that it has the same holes is a test, not a type. */
export function asText(translation: Translation): Text {
  return translation as unknown as Text
}
