import type { AuthorizationResponse } from '../../oauth/authorization_response.ts'
import { send, type Visit } from '../page.ts'
import { formPost } from '../ui/assets.ts'
import { html } from '../ui/html.ts'
import { narrowPage } from '../ui/layout.ts'

type FormPost = Extract<AuthorizationResponse, { response_mode: 'form_post' }>

/** The page that posts an authorization response to the client (OAuth 2.0 Form Post Response Mode section 2). */
export function renderFormPost(visit: Visit, response: FormPost): Response {
  const { form_post } = visit.view.text
  const fields = response.fields.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)
  const content = html`<div class="heading"><h1>${form_post.title}</h1></div>
<form method="post" action="${response.action}" id="form_post">${fields}<div class="stack"><button class="button primary">${form_post.go_on}</button></div></form>
<script type="module" src="${visit.web.base + formPost.path}"></script>`
  // The answer is on this page alone: to choose another language would be to lose it.
  const view = { ...visit.view, languages: [] }
  return send(visit, narrowPage(view, { title: form_post.title, content }), { script: true })
}
