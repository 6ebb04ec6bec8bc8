/** Pages of refusals, and the way on from each. */
export const enErrors = {
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
    body: 'The link for the first administrator works once and for 15 minutes. To get a new one, run “sallyport setup-link” on the machine of the server, or start the server again.',
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
    body: 'This is our fault, not yours. Nothing has changed. Try again in a moment; if it happens again, send the request ID to the people who run this service.',
  },
  details: 'For the developer of the application',
  code: 'Error',
  description: 'Description',
  request_id: 'Request ID',
  to_account: 'Go to your account',
  to_console: 'Go to the console',
  to_start: 'Start again',
} as const
