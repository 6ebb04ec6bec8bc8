/** The steps of the playground's flows, in English. */
export const enPlaygroundFlows = {
  flows: {
    connection: {
      title: 'Use an account at another provider',
      lead: 'Outbound: the person lets the app use one of their connected accounts; the app calls that provider through this server, and never sees its tokens.',
    },
    authorization_code: {
      title: 'Sign a person in, and act for them',
      lead: 'Authorization code with PKCE: the person signs in here and says yes; the app gets a code by the browser, and tokens by itself.',
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
  },
  steps: {
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
      text: 'The app makes three random values and keeps them in the session of this very browser. Only the hash of the verifier leaves it.',
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
  },
  /** Why a parameter is there. */
  notes: {
    proxy: 'the token is for this connector alone',
    state: 'ties the answer to this browser',
    nonce: 'comes back in the ID token',
    code_verifier: 'proves later who started',
    code_challenge: 'its SHA-256, which may be seen',
    response_type: 'a code, nothing else',
    client_id: 'the throw-away client',
    redirect_uri: 'compared letter by letter',
    scope: 'what the person is asked for',
    state_sent: 'comes back unchanged',
    nonce_sent: 'goes into the ID token',
    challenge_sent: 'what the verifier must match',
    code_challenge_method: 'the only method here',
    code: 'lives a minute, works once',
    redirect_uri_again: 'where the code was sent',
    verifier_sent: 'hashed and compared',
    refresh_token: 'is replaced by the answer',
    token: 'the token in question',
    either_token: 'either kind of token',
    token_type_hint: 'only a hint',
    ended_token: 'says no more than that',
    least_scope: 'no more than is needed',
    resource: 'becomes the audience',
    device_code: 'never shown to anybody',
    whose_request: 'whose request it is',
    request_uri: 'works once, for a minute',
  },
  /** Wrong ways to do it. */
  breaks: {
    wrong_verifier: 'Send a verifier of somebody else',
    wrong_redirect_uri: 'Name another redirect URI',
    no_verifier: 'Leave the verifier out',
    wrong_code: 'Send a code that is none',
    wrong_token: 'Show a token that is none',
    wrong_refresh_token: 'Send one that is none',
    more_scope: 'Ask for more than was allowed',
    unknown_scope: 'Ask for a scope that is not there',
    no_challenge: 'Leave the challenge out',
    no_prompt: 'Forbid any page (prompt=none)',
    wrong_secret: 'Use a wrong secret',
    unregistered_scope: 'Ask for more than is registered',
    wrong_resource: 'Name an API that is not there',
    unregistered_redirect_uri: 'Name a redirect URI that is not registered',
    no_type: 'Leave the response type out',
    wrong_grant_type: 'Use another grant type',
  },
} as const
