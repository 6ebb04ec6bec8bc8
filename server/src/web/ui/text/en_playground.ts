import { enPlaygroundFlows } from './en_playground_flows.ts'

/** The playground, in English. */
export const enPlayground = {
  ...enPlaygroundFlows,
  title: 'Playground',
  lead: 'Every flow, one step at a time, live against this server. Nothing is simulated; the client is thrown away afterwards.',
  start: 'Start',
  some_flows:
    'In production these are the flows in which a person lets the client act for them. Those whose client has rights of the administration API, or for which an issuer is trusted, are there in development.',
  throw_away:
    'A start registers a client for this flow alone, and deletes the one before. Its grants end within the hour, and it is deleted after a day.',
  by_document:
    'A start registers nothing: the client is what stands at its address. The last steps end what it was granted; whoever stops before ends it on their account page.',
  needs_script: 'This page shows each step. To run them, it needs the script of this page.',
  nothing_waits: 'No flow of this tab waits for an answer. Open the playground and start one.',
  break_it: 'Break it',
  as_it_should_be: 'As it should be',
  actions: {
    make: 'Make them',
    check: 'Check it',
    browser: 'Send the browser',
    request: 'Send',
    person: 'Open the page',
    show: 'Done',
    paste: 'Read the answer',
  },
  /** Who does something to whom. */
  way: 'From {from} to {to}',
  writings: { curl: 'As curl', code: 'As code', text: 'As text' },
  copy: 'Copy',
  pasted: 'What your terminal shows',
  authorization: {
    client: 'The client proves who it is in the Authorization header (RFC 6749 section 2.3.1).',
    bearer: 'The access token is in the Authorization header (RFC 6750 section 2.1).',
    proof: 'A proof by the key of this flow is in the DPoP header (RFC 9449 section 5).',
    signs: 'This is signed, for this request alone (RFC 7523 section 3):',
    dpop: 'The access token is in the Authorization header, and a proof of its key beside it (RFC 9449 section 7.1).',
  },
  inputs: {
    connector: 'Connector',
    path: 'Path of the provider’s API',
    path_hint: 'Such as /user. It is asked for with GET.',
    document: 'Address of the client’s document',
    document_hint:
      'An https address that you can publish at. It is the client_id; the first step shows what has to stand there.',
  },
  no_connector: 'There is no connector yet',
  no_connector_body:
    'This flow needs one: a provider, and your registration there. Add it in the console, and come back.',
  /** What a flow needs, and is not there. */
  closed: {
    metadata_documents: {
      title: 'Nobody names a document as a client here',
      body: 'This flow needs two settings: “metadata_documents” has to be “any” or “listed”, and “dynamic_client_scopes” to hold openid and offline_access, which such clients may ask for.',
    },
    open_registration: {
      title: 'Nobody registers clients by themselves here',
      body: 'This flow needs that: set “registration” to “open” in the settings, and come back.',
    },
    client_certificates: {
      title: 'No proxy passes certificates on to this server',
      body: 'This flow needs one that asks for certificates of clients, and the option “client_certificate_header” of the server, which says where it puts them.',
    },
  },
  parties: { person: 'Browser', app: 'App', server: 'Sallyport', api: 'API', provider: 'Provider' },
  diagram: 'The steps of “{flow}” as a sequence diagram',
  words: {
    request: 'Request',
    answer: 'Answer',
    decoded: '{name}, decoded',
    copied: 'Copied',
    selected: 'Selected: copy it with the keyboard',
    refused_rightly: 'Refused, as it must be: {error}',
    refused_otherwise: 'Refused with {error}; {expected} was expected',
    ended: 'Whatever came of it has ended with it: start again to go on.',
    not_refused: 'It was not refused. That is a defect: please report it.',
    done: 'As it should be',
    wrong: 'Not as it should be: {what}',
    waiting: 'Not yet: asked again in {n} s',
    client: 'The client of this run is {client_id}',
    paste: 'Run the curl line below at your terminal, and put its answer into the field',
    no_document: 'No client can be named by this address here: it has to be https, and allowed by “metadata_documents”',
    failed: 'The request could not be sent',
    first: 'Run step {n} first: it brings what this one uses.',
  },
} as const
