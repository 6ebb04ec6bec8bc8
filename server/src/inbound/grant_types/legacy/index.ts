import type { GrantType } from '../../authorization/grant_type.ts'
import { implicit } from './implicit.ts'
import { password } from './password.ts'

/** The grants of a room of their own: it can be deleted, and with it the one line of the registry that names it. */
export const LEGACY_GRANTS: readonly GrantType[] = [password, implicit]
