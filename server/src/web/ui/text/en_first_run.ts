/** The sentences of a first run, between the first administrator and the first client, in English. */
export const enFirstRun = {
  first_run: {
    title: 'Is this the address of your server?',
    lead: 'Clients know this server by its issuer. It stands in every token, so look at it before the first client is told.',
    same_host: 'Your browser came to this address, and is signed in at it.',
    other_host:
      'Your browser came to {host}, which is not the host of the issuer: clients would be refused there. Open the address below, or set the issuer and start again. If you did open it, your proxy does not pass the Host header on.',
    issuer: 'Issuer',
    discovery: 'Discovery',
    mode: 'Mode',
    production: 'Production: over https, cookies are sent over nothing else.',
    development: 'Development: over http, for this machine alone.',
    change: 'To change it, set SALLYPORT_ISSUER and start the server again. Later, every client has to be told.',
    go_on: 'Register the first client',
    later: 'Go to the console',
  },
} as const
