/** Connecting an account at another provider. */
export const enConnect = {
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
  already_connected: 'This {provider} account is connected already',
  already_connected_body:
    'That connection works, and was left as it is. Nothing was changed. To connect it anew, it has to be disconnected first.',
  connector_fault: '{provider} is not set up correctly here',
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
  key_wrong_pair: 'That cannot be sent. A name has no colon in it, and neither of the two is empty or has line breaks.',
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
  device_back: {
    one: 'Allow it, and come back. The code is good for {n} minute.',
    other: 'Allow it, and come back. The code is good for {n} minutes.',
  },
  device_check: 'Check now',
  ask_as: 'Known there as',
  ask_subject: 'In the name of',
  ask_subject_hint: 'As the other side calls the account. Leave it empty to act as the server itself.',
  ask_username: 'Name',
  ask_password_label: 'Password',
  ask_wrong: 'That cannot be sent. It must have no line breaks, and at most 255 characters.',
  choose_title: 'Which one at {provider}?',
  choose_body:
    '{account} may use several there. Apps that you allow will use the one that you choose. Connect again for another.',
} as const
