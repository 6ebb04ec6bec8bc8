/** What every form of the console may say, in English. */
export const enConsoleForms = {
  /** Above a form, after one had to sign in anew. */
  again: {
    renewed:
      'You have signed in again. What you typed is still here, and nothing is done yet: look at it, and press again.',
    without_file:
      'You have signed in again. What you typed is still here, but no file is kept meanwhile: choose it again. Nothing is done yet.',
    too_long:
      'You have signed in again. What you typed was too long to be kept meanwhile: go back in your browser to copy it.',
    twice: 'This form was sent twice. What it made is here, once. If you did not copy its secret, make a new one.',
  },
  /** The scopes of a resource, as the consent page has them. */
  consent_preview: {
    title: 'As people read it',
    lead: 'What the consent page says of all these scopes: what only reads stands first.',
    client: 'An app',
  },
  /** Of the redirect URIs of a client; each sentence follows the URI. */
  redirect_lint: {
    title: 'These redirect URIs work. There are better ones:',
    start_page:
      'is a start page: with a path of its own, such as /callback, codes stay out of what the start page loads.',
    ip_host: 'has an address for a name: it changes with the machine, and certificates for addresses are rare.',
    private_use:
      'has a scheme that any other program on the device can take: an https address that the app claims is safer.',
    localhost: 'has a name that may lead elsewhere on some machines: 127.0.0.1 leads nowhere else.',
    this_machine: 'is reached on this computer alone: for development, and for nobody else.',
  },
} as const
