import { deletePermanentToken } from '../../inbound/tokens/permanent_tokens.ts'
import { backToAccount, signedInSubmit } from './account.ts'

/** POST /account/tokens/delete: deletes a permanent token of the user, which is dead at once. */
export const deleteTokenSubmit = signedInSubmit(async (visit, { user }, values) => {
  const { user_id } = user
  const { token_id = '' } = values
  await deletePermanentToken(visit.web.tenant, { user_id, token_id, actor: `user:${user_id}` })
  return backToAccount(visit, 'token')
})
