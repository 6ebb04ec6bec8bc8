import type { UsageCounter } from './inbound/usage.ts'
import type { WebObserver } from './web/web.ts'

/** Counts tokens and refusals by the hour for the console, and passes them on to whoever else observes. */
export function observeHours(usage: UsageCounter, tenant_id: string, next: WebObserver | undefined): WebObserver {
  return {
    issued(grant_type) {
      usage.countHour(tenant_id, 'tokens', grant_type)
      next?.issued(grant_type)
    },
    refused(endpoint, error) {
      usage.countHour(tenant_id, 'refusals', error)
      next?.refused(endpoint, error)
    },
  }
}
