import { Agent, fetch } from 'undici'
import type { ClientIdentity } from './call.ts'
import { type ConnectorOptions, createConnector } from './connector.ts'
import type { Policy } from './policy.ts'

/** The connections of a guard, and the fetch that uses them. Loaded with the first call: a start needs none. */
export interface Agents {
  readonly fetch: typeof fetch
  readonly pooled: Agent
  readonly unshared: Agent
  /** One for a single call, by which this side is known; whoever makes it closes it. */
  identified(identity: ClientIdentity): Agent
}

/** Makes the agents of a guard; every connection of theirs is opened by its connector. */
export function createAgents(policy: Policy, options: ConnectorOptions & { readonly headerBytes: number }): Agents {
  const connect = createConnector(policy, options)
  // The deadline of each call replaces undici's own timeouts.
  const shape = { connect, maxHeaderSize: options.headerBytes, headersTimeout: 0, bodyTimeout: 0, allowH2: false }
  return {
    fetch,
    pooled: new Agent(shape),
    // A kept-alive connection can be closed by the other side just as a request leaves on it, and nobody then knows
    // whether a refresh token was spent. What must not be repeated blindly gets a connection of its own.
    unshared: new Agent({ ...shape, pipelining: 0 }),
    // Nobody else's call may ever go out on a connection that was opened in one client's name.
    identified: (identity) =>
      new Agent({ ...shape, connect: createConnector(policy, { ...options, identity }), pipelining: 0 }),
  }
}
