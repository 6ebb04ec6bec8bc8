import type { AccountToken } from '../../server/src/web/pages/templates/account_tokens.ts'
import { renderMadeToken, renderNewToken } from '../../server/src/web/pages/templates/new_token.ts'
import type { View } from '../../server/src/web/ui/view.ts'
import { DAY, HOUR, NOW, type Pages, type Put } from './sample_view.ts'

/** Tokens for scripts as their owner has them: one that works, one that lives for good, one that ran out, one switched off. */
export function shownTokens(put: Put): AccountToken[] {
  const issues = { scope: put('issues'), description: put('Use Acme Issues in your name') }
  const token = (token_id: string, name: string) => ({
    ...{ token_id: put(token_id), name: put(name), beginning: put(`sp_pt_AZr0kd${token_id}q3Jx`) },
    ...{ resources: [put('Acme Issues')], scopes: [issues], created_at: NOW - 30 * DAY },
    state: 'works' as const,
  })
  return [
    { ...token('t1', 'Nightly build'), last_used_at: NOW - HOUR, ends_at: NOW + 60 * DAY },
    { ...token('t2', 'Old importer'), last_used_at: NOW - 3 * DAY },
    { ...token('t3', 'Spreadsheet'), state: 'ended' },
    { ...token('t4', 'Backup'), state: 'off' },
  ]
}

/** The pages on which somebody makes a token for a script, with realistic data. */
export function tokenPages(view: View, put: Put): Pages {
  const films = { resource: put('https://api.northwind.example/films'), name: put('Films') }
  const resources = [films, { resource: put('https://issues.northwind.example/') }]
  const scopes = [
    { scope: put('films:read'), description: put('See the films and who plays in them'), kind: 'read' as const },
    { scope: put('films:list'), description: put('See which cinemas show them'), kind: 'read' as const },
    { scope: put('films:write'), description: put('Change what is said about films'), kind: 'change' as const },
  ]
  const form = { resource: films, scopes, lifetimes: [7, 30, 60, 90], token_id: put('01930000-t') }
  const token = `sp_pt_${'AZr0kdX7q3JxVb9W'.repeat(4)}`
  const typed = { name: put('Nightly build'), scope: [scopes[0]!.scope], days: 60 }
  return {
    new_token: () => renderNewToken(view, { resources, form }),
    new_token_choice: () => renderNewToken(view, { resources }),
    new_token_wrong: () =>
      renderNewToken(view, { resources: [films], form: { ...form, typed: { ...typed, scope: [] } }, wrong: 'scope' }),
    new_token_full: () => renderNewToken(view, { resources, form: { ...form, typed }, wrong: 'full' }),
    new_token_nothing: () => renderNewToken(view, { resources: [] }),
    new_token_off: () => renderNewToken(view, { resources: [], wrong: 'off' }),
    made_token: () =>
      renderMadeToken(view, {
        ...{ name: typed.name, token: put(token), expires_at: NOW + 60 * DAY },
        line: put(`curl -H 'Authorization: Bearer ${token}' 'https://api.northwind.example/films'`),
      }),
  }
}
