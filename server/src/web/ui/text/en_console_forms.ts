/** What every form of the console may say, in English. */
export const enConsoleForms = {
  /** Above a form, after one had to sign in anew. */
  again: {
    renewed:
      'You have signed in again. What you typed is still here, and nothing is done yet: look at it, and press again.',
    too_long:
      'You have signed in again. What you typed was too long to be kept meanwhile: go back in your browser to copy it.',
  },
} as const
