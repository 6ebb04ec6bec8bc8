import { enPlaygroundBreaks, enPlaygroundNotes } from './en_playground_details.ts'
import { enPlaygroundSteps } from './en_playground_steps.ts'

/** The playground's flows, in English. */
export const enPlaygroundFlows = {
  groups: {
    people: 'A person lets an app act',
    programs: 'Programs, for themselves or for somebody',
    bound: 'Tokens that a thief cannot use',
    unknown: 'Clients that nobody knew before',
    outbound: 'Out to other providers',
  },
  flows: {
    connection: {
      title: 'Use an account at another provider',
      lead: 'Outbound: the person lets the app use one of their connected accounts; the app calls that provider through this server, and never sees its tokens.',
    },
    provider_token: {
      title: 'Take the provider’s own token',
      lead: 'Outbound, for what no proxy can do: the app exchanges its token for the provider’s, and gets a fresh one each time. The refresh token stays in the vault.',
    },
    authorization_code: {
      title: 'Sign a person in, and act for them',
      lead: 'Authorization code with PKCE: the person signs in here and says yes; the app gets a code by the browser, and tokens by itself.',
    },
    public_client: {
      title: 'An app without a secret',
      lead: 'In a browser, on a phone or a desktop nobody keeps a secret. PKCE takes its place, and refresh tokens that follow one another.',
    },
    private_key_jwt: {
      title: 'Prove by a key who one is',
      lead: 'private_key_jwt: the client signs a short-lived JWT for each request. Whoever reads along, or reads this server’s database, can use none of it.',
    },
    jwt_bearer: {
      title: 'On the word of somebody else',
      lead: 'JWT bearer grant: an issuer that is trusted here says who the user is, as at night, when nobody is there to be asked. In this run the issuer is this very browser, and the user is made for it.',
    },
    document_client: {
      title: 'A client that is described by a document',
      lead: 'Client ID metadata document, the way of MCP clients: the client_id is an address, and what stands there is the client. Nobody registers anything.',
    },
    mutual_tls: {
      title: 'A token that is nothing without a certificate',
      lead: 'Mutual TLS: the token is bound to the certificate that the app shows when it connects. No page can show one, so curl does that part, and you bring its answers here.',
    },
    step_up: {
      title: 'Sign in anew, before what matters',
      lead: 'Step-up: whoever wants to pay or to delete was signed in long ago, perhaps by less than is needed. The app asks for a sign-in of now, and sees when and how it was.',
    },
    client_credentials: {
      title: 'A program for itself',
      lead: 'Client credentials: nobody is asked, since nobody else is concerned. The program reads the administration API of this very server.',
    },
    device_code: {
      title: 'A device, or a terminal',
      lead: 'Device authorization: the device shows a code; the person types it into a browser that they trust, anywhere.',
    },
    pushed_request: {
      title: 'Send the request ahead',
      lead: 'Pushed authorization request: the app sends the whole request itself, authenticated; the browser carries a reference that works once.',
    },
    openid_connect: {
      title: 'Know who signed in',
      lead: 'OpenID Connect: the ID token is checked line by line, and the session ends where it began.',
    },
    refresh_token: {
      title: 'Stay signed in, and notice a thief',
      lead: 'Refresh tokens follow one another. When an old one comes back, somebody else has it, and all of them end.',
    },
    discovery: {
      title: 'Find the way, as MCP clients do',
      lead: 'The app knows the address of an API and nothing else. A refusal tells where to read on, up to a token for that API alone.',
    },
    registration: {
      title: 'A client registers itself',
      lead: 'Dynamic client registration: an app that nobody knew describes itself, reads what was made of it, and takes itself away.',
    },
    dpop: {
      title: 'A token that is nothing without its key',
      lead: 'DPoP: this very browser makes a key and proves with each request that it has it. A stolen token is worth nothing.',
    },
    token_exchange: {
      title: 'Hand on less than one has',
      lead: 'Token exchange: a token for less, for one API, that says who acts for whom. It ends with the one that it came of.',
    },
    authorization_details: {
      title: 'Ask for one account, and for reading alone',
      lead: 'Rich authorization requests: rights finer than scopes. What was allowed stands in the answer, and can be narrowed later.',
    },
    connect_session: {
      title: 'Connect accounts of one’s own users',
      lead: 'Outbound, for platforms: their user connects an account without being a user here; the platform confirms, calls, renews and disconnects.',
    },
  },
  steps: enPlaygroundSteps,
  notes: enPlaygroundNotes,
  breaks: enPlaygroundBreaks,
} as const
