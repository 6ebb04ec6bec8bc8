import {
  type AuthorizationOutcome,
  authorize,
  type ConsentAnswer,
  type ConsentQuestion,
} from '../../inbound/authorization/authorize.ts'
import {
  browserOf,
  fitsUrl,
  type Interaction,
  keepHint,
  openAnyInteraction,
  openInteraction,
  sealInteraction,
} from '../../inbound/interactions.ts'
import type { AuthorizationResponse } from '../../oauth/authorization_response.ts'
import { isConfidential } from '../../oauth/clients/client.ts'
import { readDocumentUrl } from '../../oauth/clients/metadata_document.ts'
import type { Params } from '../../oauth/params.ts'
import { nameProvider } from '../../outbound/connectors/connector.ts'
import { findClientLogo } from '../client_logos.ts'
import { publishedPath } from '../endpoint_paths.ts'
import { noteLegacyGrant } from '../legacy_log.ts'
import { decodeUtf8 } from '../machine.ts'
import {
  errorPage,
  inLanguageAsked,
  ours,
  page,
  readBody,
  redirect,
  refusalPage,
  requireFormType,
  send,
  submit,
  type Visit,
} from '../page.ts'
import { connectPath, paths } from '../ui/paths.ts'
import { tellText, type View } from '../ui/view.ts'
import { describeRoles, describeScopes, nameResources, readChosen } from './described_scopes.ts'
import { renderFormPost } from './form_post.ts'
import { renderConsent } from './templates/consent.ts'

/** What another system's door does with a request at its own authorization URL. */
export interface AuthorizationDoor {
  /** Says it in our terms. */
  translate(query: string, visit: Visit): string
  /** What it does of its own once it is judged, before the answer leaves. */
  judged(query: string, visit: Visit, outcome: AuthorizationOutcome): Promise<void>
}

/** GET and POST /authorize: the authorization endpoint (RFC 6749 section 3.1); other doors translate into its terms. */
export const authorizePage = (door?: AuthorizationDoor) =>
  page(async (visit) => {
    const { c, web } = visit
    // The database's time, as that of the sign-in it is compared with.
    const started_at = visit.view.now
    const posted = c.req.method === 'POST'
    if (posted) requireFormType(c)
    const text = posted ? decodeUtf8(await readBody(c)) : new URL(c.req.url).search.slice(1)
    const unbound = { query: door?.translate(text, visit) ?? text, started_at }
    const interaction = { ...unbound, browser: browserOf(visit.browser) }
    const outcome = await authorize(web.inbound, web.grant_types, interaction, visit.session, null)
    await door?.judged(text, visit, outcome)
    // A form that another site posts comes without our cookies; the redirect to our own page brings them, and until
    // then the browser keeps the ones it has.
    if (posted && visit.session === null && outcome.kind !== 'refused' && fitsUrl(interaction)) {
      c.header('Set-Cookie', undefined)
      return redirect(visit, ours(web, '/consent', { request: sealInteraction(web.inbound, unbound) }))
    }
    return answerOutcome(visit, interaction, outcome)
  })

/** GET /consent: goes on with an authorization request after sign-in, and asks what must be asked. */
export const consentPage = page(async (visit) => {
  const interaction = findInteraction(visit)
  if (!interaction) return expired(visit)
  if (interaction.browser !== undefined) return answerWith(visit, interaction, null)
  // It came by another site's post: here it begins, so that no sign-in of before counts as one for it.
  const { query } = interaction
  return answerWith(visit, { query, started_at: visit.view.now, browser: browserOf(visit.browser) }, null)
})

/** POST /consent: the user's answer. */
export const consentSubmit = submit(
  async (visit, form) => {
    const interaction = findInteraction(visit)
    if (!interaction) return expired(visit)
    return answerWith(visit, interaction, readAnswer(interaction, form))
  },
  // Another session than the page was made for: somebody signed in or out in another tab, so it is shown again.
  async (visit) => {
    const interaction = findInteraction(visit)
    return interaction ? answerWith(visit, interaction, 'again') : expired(visit)
  },
)

/** The authorization request that a page of this browser is about, or null. */
export function findInteraction(visit: Visit): Interaction | null {
  return openInteraction(visit.web.inbound, visit.query['request'], visit.browser)
}

/** Where an authorization request goes on after a sign-in for it: that session, and no other, is the answer to it. */
export function afterSignIn(visit: Visit, interaction: Interaction, session_id: string): string {
  return ours(visit.web, '/consent', { request: sealInteraction(visit.web.inbound, { ...interaction, session_id }) })
}

async function answerWith(visit: Visit, interaction: Interaction, answer: ConsentAnswer | null): Promise<Response> {
  const { inbound, grant_types } = visit.web
  return answerOutcome(visit, interaction, await authorize(inbound, grant_types, interaction, visit.session, answer))
}

function readAnswer(interaction: Interaction, form: Params): ConsentAnswer | null {
  const { decision, role } = form.values
  const { shown_to: user_id, shown } = interaction
  if ((decision !== 'allow' && decision !== 'deny') || user_id === undefined || shown === undefined) return null
  const connections: Record<string, string> = Object.create(null)
  for (const [name, value] of Object.entries(form.values)) {
    if (name.startsWith('connection.')) connections[name.slice('connection.'.length)] = value
  }
  return { decision, connections, role, ...readChosen(form), user_id, shown }
}

async function answerOutcome(visit: Visit, interaction: Interaction, outcome: AuthorizationOutcome): Promise<Response> {
  const { web } = visit
  switch (outcome.kind) {
    case 'refused':
      return refusalPage(visit, outcome.error, refusalKind(outcome.error.error_description))
    case 'respond':
      if (outcome.legacy !== undefined) noteLegacyGrant(visit.web, visit.request_id, outcome.legacy)
      return answerClient(visit, outcome.response)
    case 'login': {
      const { login_hint, acr, essential, create } = outcome
      const hint = { ...keepHint(login_hint), ...keepLanguage(visit, outcome) }
      const request = sealInteraction(web.inbound, { ...interaction, ...hint, acr, essential })
      return redirect(visit, ours(web, create ? paths.sign_up : paths.login, { request }))
    }
    case 'consent': {
      const { signed_in, shown, ui_locales } = outcome.question
      const shown_to = signed_in.user.user_id
      const kept = { ...interaction, ...keepLanguage(visit, outcome.question), shown_to, shown }
      const request = sealInteraction(web.inbound, kept)
      const { started_at } = interaction
      const asked = inLanguageAsked(visit, { ui_locales, started_at })
      const { client, verified } = outcome.question
      const logo_uri = await findClientLogo(web, client, verified)
      return send(asked, renderConsent(asked.view, consentData(asked, outcome.question, request, logo_uri)))
    }
  }
}

/** What the pages between remember of the languages that a client asks for. */
function keepLanguage({ web }: Visit, { ui_locales }: { readonly ui_locales: readonly string[] }) {
  const lang = web.languages.lookUp(ui_locales)?.tag
  return lang === undefined ? {} : { lang }
}

function refusalKind(error_description: string) {
  if (error_description.includes('redirect_uri')) return 'untrusted_redirect'
  return /client_id|This client is/.test(error_description) ? 'unknown_client' : 'bad_request'
}

function answerClient(visit: Visit, response: AuthorizationResponse): Response {
  return response.response_mode === 'form_post' ? renderFormPost(visit, response) : redirect(visit, response.location)
}

/** The page of a request that took too long, with a link that starts the same one again. */
export function expired(visit: Visit): Response {
  const former = openAnyInteraction(visit.web.inbound, visit.query['request'])
  const href =
    former && `${ours(visit.web, publishedPath(visit.web.aliases, 'authorization_endpoint'))}?${former.query}`
  return errorPage(visit, 'expired', 400, { way_on: href === null ? undefined : { to: 'start', href } })
}

/** How a connection is to be used, where that is less than by the client itself and for everything. */
function describeUse(view: View, actions: readonly string[] | undefined, server: string | undefined) {
  const { allow_connection: text } = view.text
  return [
    ...(actions?.includes('write') === false ? [{ scope: 'read', description: text.only_read_right }] : []),
    ...(server ? [{ scope: server, description: tellText(view, text.through_right, { server }) }] : []),
  ]
}

function consentData(
  visit: Visit,
  question: ConsentQuestion,
  request: string,
  logo_uri: string | undefined,
): Parameters<typeof renderConsent>[1] {
  const { web, view } = visit
  const { client, signed_in, configuration, resource } = question
  const { issuer } = web.tenant
  const scopes = describeScopes(view, issuer, configuration, question)
  const here = ours(web, '/consent', { request })
  return {
    action: here,
    client: {
      client_id: client.client_id,
      client_name: client.client_name,
      logo_uri,
      publisher: client.client_uri,
      published_at: client.unverified ? readDocumentUrl(client.client_id)?.host : undefined,
      verified: question.verified,
      authenticates: isConfidential(client),
    },
    redirect_uri: question.redirect_uri,
    user: { username: signed_in.user.username, name: signed_in.user.name ?? undefined },
    switch_action: ours(web, '/login/switch', { request }),
    scopes,
    resources: nameResources(issuer, configuration, resource),
    connectors: question.connections.map(({ connector, provider, choices, proposed, actions, resource: through }) => ({
      connector,
      provider_name: nameProvider(web.outbound, { provider, connector }),
      scopes: describeUse(view, actions, through && (configuration.resources.get(through)?.name ?? through)),
      choices: choices.map(({ connection_id, account_name, ready }) => ({
        connection_id,
        account_label: account_name,
        ready,
        selected: connection_id === proposed,
        repair_href: ours(web, connectPath(connector), { connection_id, return_to: here }),
      })),
      connect_href: ours(web, connectPath(connector), { return_to: here }),
    })),
    roles: describeRoles(question.roles, scopes),
    offline: question.offline,
    end_choices: question.ends,
    longest_seconds: client.grant_lifetime_seconds,
  }
}
