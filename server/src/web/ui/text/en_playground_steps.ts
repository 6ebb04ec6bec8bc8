/** The steps of the playground's flows, in English. */
export const enPlaygroundSteps = {
  token_public: {
    title: 'Exchange the code',
    text: 'Nothing proves who the app is: it says so. What it does prove, by the verifier, is that it started this flow, so a stolen code is worth nothing.',
  },
  refresh_public: {
    title: 'Refresh',
    text: 'The refresh token is all that is needed, so it is replaced each time. Its successor is given out again for seconds only, in case an answer was lost; when the old one comes back later, all of them end.',
  },
  ended_public: {
    title: 'See that it has ended',
    text: 'A client without a secret may not introspect. It sees that the API refuses its token.',
  },
  token_by_key: {
    title: 'Ask for a token, signed',
    text: 'The public half of the key was registered at the start; the private one never leaves this browser. The signature says who asks, of whom, and for how long it may be believed.',
  },
  introspect_by_key: {
    title: 'Introspect',
    text: 'Wherever the client has to prove who it is, it signs anew: an assertion is good for one request.',
  },
  make_certificate: {
    title: 'Make a certificate',
    text: 'At your terminal: this makes a key and a certificate of it for a day. Nobody has to have issued it, since it says nothing of who the app is; the token is bound to its key.',
  },
  without_certificate: {
    title: 'Exchange the code without it',
    text: 'This client takes bound tokens alone. The refusal uses nothing up.',
  },
  token_by_certificate: {
    title: 'Exchange the code with it',
    text: 'The same request at the address where clients show certificates. The proxy in front of this server saw the certificate, and told it which one.',
  },
  bound_to_certificate: {
    title: 'See that the token is bound',
    text: 'The hash of the certificate stands in the token. Whoever takes the token compares it with the certificate of the connection.',
  },
  thief_without_certificate: {
    title: 'Try it without the certificate',
    text: 'A thief has the token and not the key. The token is refused.',
  },
  userinfo_by_certificate: {
    title: 'Use the token with it',
    text: 'The same connection that shows the certificate carries the token.',
  },
  token_by_word: {
    title: 'Bring the word of the issuer',
    text: 'The issuer signs who the user is, and for whom it says so. This server looks for the issuer among those it trusts, takes its key from there and never from the JWT, and asks whether this client may bring its word.',
  },
  userinfo_by_word: {
    title: 'Ask who it is',
    text: 'The token is of the user that the issuer spoke of. A refresh token never comes of it: whoever wants more tokens brings a new word.',
  },
  publish: {
    title: 'Publish the document',
    text: 'Put this at the address that you gave, as JSON. It names itself, so that nobody can put it elsewhere, and holds no secret.',
  },
  authorize_document: {
    title: 'Send the browser, with the address as the client',
    text: 'Once the person has signed in this server fetches the document, and compares what it says with the request. The person sees which host it is from, and that nobody has checked it.',
  },
  authorize_anew: {
    title: 'Send the browser, for a sign-in of now',
    text: 'The person signs in although they are signed in. An API asks for the same by its refusal insufficient_user_authentication, with acr_values or max_age in it.',
  },
  how_signed_in: {
    title: 'See when and how',
    text: 'The request was only asked by the browser, and might have been changed on its way: what counts is what the ID token says.',
  },
  take_provider_token: {
    title: 'Exchange it for the provider’s token',
    text: 'What comes back is the token of the provider, with at least half a minute to live: if it had less, it was renewed on the way. A connector may be set to hand out none; then the refusal says that the proxy is the way.',
  },
  renew_provider_token: {
    title: 'Say that it was refused',
    text: 'Should the provider’s API refuse it before its time, the app says which one failed and gets another. Many who say the same at once are one refresh.',
  },
  no_provider_token: {
    title: 'See that nothing comes any more',
    text: 'The person has taken back what the app may do. The connection is still theirs, and no use to the app.',
  },
  id_token: {
    title: 'Check the ID token',
    text: 'Six things, and none is left out: who signed it, who issued it, for whom, until when, for which sign-in, and for which access token.',
  },
  logout: {
    title: 'End the session',
    text: 'The app names itself, and no ID token: nothing that is secret belongs into an address. So the person is asked. With the session you are signed out here as well: sign in again to come back to this page.',
  },
  rotate: {
    title: 'Refresh for the first time',
    text: 'The answer brings the successor of the refresh token.',
  },
  retry: {
    title: 'Send the same once more, as after a lost answer',
    text: 'The successor was not used yet, so the answer holds the very same one: a bad line costs nobody their session.',
  },
  rotate_again: {
    title: 'Use the successor',
    text: 'With this the app shows that it got the answer. From now on the first token is of the past.',
  },
  replay: {
    title: 'A thief comes with the first one',
    text: 'It is genuine, of this client, and two generations old: one of two has stolen it, and nobody can tell which. It is refused.',
  },
  family: {
    title: 'The newest one has ended as well',
    text: 'The grant has ended with all of its tokens, the thief’s and the app’s. The person signs in again, and the thief cannot.',
  },
  unauthorized: {
    title: 'Knock at the API',
    text: 'Without a token it says no, and where its metadata is.',
  },
  resource_metadata: {
    title: 'Read the metadata of the API',
    text: 'It names itself, and the server that gives out tokens for it. The app compares the name with the address it asked.',
  },
  server_metadata: {
    title: 'Read the metadata of the server',
    text: 'Every endpoint and everything it can do. Its issuer must be the one by which it was found.',
  },
  authorize_api: {
    title: 'Send the browser, and name the API',
    text: 'The person sees which API is meant. The token will work there and nowhere else.',
  },
  register: {
    title: 'Register',
    text: 'The client says who it is and gets an identifier, and a token for its own registration.',
  },
  read_registration: {
    title: 'Read the registration',
    text: 'With that token it sees what stands here of it.',
  },
  delete_registration: {
    title: 'Take it away',
    text: 'The client and all that was granted to it are gone.',
  },
  registration_gone: {
    title: 'See that it is gone',
    text: 'The token of the registration has ended with it.',
  },
  dpop_key: {
    title: 'Make a key',
    text: 'The key is made by this browser. What others see of it is its public half, and the thumbprint of that.',
  },
  dpop_nonce: {
    title: 'Ask, and get a nonce',
    text: 'This client’s proofs must hold a nonce of this server, so none can be made in advance. The refusal brings it, and uses nothing up.',
  },
  dpop_token: {
    title: 'Exchange the code with a proof',
    text: 'A proof names the method, the address, the nonce and an identifier of its own: it is good for this request, once.',
  },
  bound: {
    title: 'See that the token is bound',
    text: 'The thumbprint of the key stands in the token. Whoever takes the token asks for a proof by that key.',
  },
  dpop_userinfo: {
    title: 'Use the token with a proof',
    text: 'Here the proof holds the hash of the token as well.',
  },
  as_bearer: {
    title: 'Try it without a proof',
    text: 'A thief has the token and not the key. The API refuses it as a bearer token.',
  },
  actor: {
    title: 'A token for the one who acts',
    text: 'The program that will do the work gets a token of its own.',
  },
  exchange: {
    title: 'Exchange both for one',
    text: 'The new token is the person’s, for less, and says that the program acts. The token of the person stays where it is.',
  },
  acts: {
    title: 'Ask what it says',
    text: 'For whom, for which API, for what, and who acts: the API can tell them apart.',
  },
  call_narrow: {
    title: 'Do what it is for',
    text: 'Reading is what it was given for.',
  },
  too_much: {
    title: 'Try what it is not for',
    text: 'The person may do it, and so may the first token. This one may not.',
  },
  revoke_root: {
    title: 'Revoke where it came from',
    text: 'The refresh token of the person ends the grant, with all that came of it.',
  },
  ended_exchanged: {
    title: 'See that the exchanged token has ended',
    text: 'It never outlives the one that it came of.',
  },
  authorize_details: {
    title: 'Ask for one account, to read',
    text: 'The person sees the account and that it is for reading, picks which one, and says until when.',
  },
  read_allowed: {
    title: 'Read',
    text: 'The proxy adds the provider’s token to what was allowed.',
  },
  write_refused: {
    title: 'Try to write',
    text: 'This is stopped here: the provider never hears of it.',
  },
  narrow: {
    title: 'Give it back',
    text: 'A refresh may ask for less and never for more. Here the token that comes may use no account at all.',
  },
  end_user: {
    title: 'Name the user',
    text: 'The platform has its own users. What it calls them is all that is known of them here.',
  },
  session: {
    title: 'Make a connect session',
    text: 'The platform says for whom, to which provider, and which of its pages may open it. The token that it gets is for that page, once.',
  },
  open_session: {
    title: 'Send the browser to connect',
    text: 'The person allows it at the provider and comes back with a code. Until the platform confirms, nothing is connected.',
  },
  confirm: {
    title: 'Confirm that it was the right person',
    text: 'The code came by the browser in which the platform knows its user. With it the connection is live.',
  },
  call_connection: {
    title: 'Call the provider',
    text: 'The platform names the connection. The provider’s token stays in the vault.',
  },
  refresh_connection: {
    title: 'Renew the provider’s token',
    text: 'By itself this server does so in time. Many who ask at once are one refresh.',
  },
  disconnect: {
    title: 'Disconnect',
    text: 'The token is revoked at the provider where it can be, and the key of this connection destroyed.',
  },
  connection_gone: {
    title: 'See that it is gone',
    text: 'What was sealed with that key is nothing any more.',
  },
  authorize_connection: {
    title: 'Ask for a connected account',
    text: 'The person picks which of their accounts this app may use, or connects one on the spot, and says until when.',
  },
  call_provider: {
    title: 'Call the provider through the proxy',
    text: 'This server adds the provider’s token, refreshes it when it must, and hands the answer on. What the app holds works here alone.',
  },
  secrets: {
    title: 'Make what protects the flow',
    text: 'The app makes three random values and keeps them in the session of this very browser. State and nonce go along with the request; of the verifier only the hash does, until the code is exchanged.',
  },
  token: {
    title: 'Exchange the code',
    text: 'The app proves who it is by its secret, and that it started this flow by the verifier. The code works once: a second use ends everything that came of it.',
  },
  userinfo: {
    title: 'Ask who it is',
    text: 'The access token goes into a header, never into a URL. What comes back is what the scopes allow.',
  },
  refresh: {
    title: 'Refresh',
    text: 'The refresh token gives a new access token and its own successor. Sent again because an answer was lost, it gives the very same successor: nothing is lost, and nobody else gains anything.',
  },
  introspect: {
    title: 'Introspect',
    text: 'Whoever gets a token asks whether it lives. A client sees its own tokens; an API sees those that are for it.',
  },
  revoke: {
    title: 'Revoke',
    text: 'Ending the refresh token ends the grant, and with it every token that came of it. The answer is the same for a token that nobody knows.',
  },
  ended: {
    title: 'See that it has ended',
    text: 'The access token had minutes left. It ended with its grant all the same.',
  },
  authorize: {
    title: 'Send the browser to sign in',
    text: 'The person sees who asks for what, and decides. The browser comes back with a code; the app compares state and issuer before it does anything with it.',
  },
  token_for_itself: {
    title: 'Ask for a token',
    text: 'The client proves who it is, and names the API that the token is for: it works there and nowhere else.',
  },
  call: {
    title: 'Call the API',
    text: 'The API looks at the audience, the scope and whether the token still lives.',
  },
  revoke_one: {
    title: 'Revoke',
    text: 'A token can be ended before its time.',
  },
  ended_one: {
    title: 'See that it has ended',
    text: 'A token that has ended and one that never was are answered alike.',
  },
  device_authorization: {
    title: 'Ask for a code',
    text: 'One code is for the device alone, the other for a person to read and type.',
  },
  verify: {
    title: 'Say yes in a browser',
    text: 'Open the page, compare the code, and allow it. Then come back to this tab.',
  },
  token_of_device: {
    title: 'Ask until the answer is there',
    text: 'The device asks every few seconds, and no faster than it was told.',
  },
  push: {
    title: 'Push the request',
    text: 'Everything that is wrong with the request is said here, to the app, before anybody is sent anywhere.',
  },
  authorize_by_reference: {
    title: 'Send the browser with the reference',
    text: 'Two parameters are left, and neither says anything to whoever reads along.',
  },
} as const
