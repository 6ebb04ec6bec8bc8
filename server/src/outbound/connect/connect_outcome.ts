import type { Option } from '../../relying/steps.ts'

/** How a consent flow ended, for the person who went through it. */
export interface ConnectFinished {
  readonly outcome:
    | 'connected'
    | 'reconnected'
    /** The consent is good for several things, of which the person has to choose one. */
    | 'choose'
    | 'refused'
    | 'failed'
    | 'other_browser'
    | 'other_account'
    /** The connection that would have to wait for its platform works, and stays as it is. */
    | 'already_connected'
    | 'connector_fault'
  /** One word on what went wrong, for the page, the log and the support. */
  readonly reason?: string
  /** What the provider said, cleaned. */
  readonly error?: string
  readonly error_description?: string
  readonly connection_id?: string
  /** What is chosen from, and what proves the flow that it belongs to. */
  readonly choice?: Choice
  readonly account_name?: string | null
  readonly provider_name: string
  /** Starts again where that can help. */
  readonly retry_url?: string
  readonly return_to: string
  /** The connect session that it was a try of. */
  readonly session_id?: string
}

/** Why a flow brought nothing. */
export type FlowFailure = Pick<ConnectFinished, 'outcome' | 'reason' | 'error' | 'error_description'>

/** The choice that a person has before a connection is made. */
export interface Choice {
  readonly choice: string
  readonly options: readonly Option[]
}
