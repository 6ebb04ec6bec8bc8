import type { Hono } from 'hono'
import type { MachineEndpoint } from './machine.ts'
import type { PageEnv } from './page.ts'
import type { Web } from './web.ts'

/** URLs of another system that this server answers too, for clients that were written for it. */
export interface CompatDoor {
  /** Endpoints for machines; `base` is the path of the issuer. */
  machines(base: string): readonly (readonly [path: string, endpoint: MachineEndpoint<Web>])[]
  /** Endpoints for browsers, under the path of the issuer. */
  pages(pages: Hono<PageEnv>): void
}
