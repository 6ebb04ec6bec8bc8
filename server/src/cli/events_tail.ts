import { setTimeout as sleep } from 'node:timers/promises'
import { API_ROUTES } from '../web/api/table.ts'
import { CommandError, EXIT } from './exit_codes.ts'
import { type Json, reachServer } from './remote_server.ts'
import { type Api, type ApiSurroundings, ask } from './run_api_command.ts'
import { describeValue } from './show_answer.ts'

const AT_ONCE = 200
const REMEMBERED = 2000
const LIST = API_ROUTES.find(({ name }) => name === 'listEvents')!

/** `events tail`: the newest events, and each that comes, until it is interrupted; with --json one object a line. */
export async function tailEvents(
  at: ApiSurroundings,
  options: { readonly lines: string; readonly seconds: string; readonly type?: string; readonly once?: true },
): Promise<number> {
  const first = readNumber(options.lines, '--lines', 0, AT_ONCE)
  const pause_ms = readNumber(options.seconds, '--seconds', 1, 3600) * 1000
  const server = reachServer(at.issuer)
  const api: Api = { server, issuer: at.issuer, env: at.env }
  const query = options.type === undefined ? {} : { type: options.type }
  try {
    // One more, so that what comes after an empty beginning is told from what was there.
    const newest = (await load(api, query)).items
    const shown = new Set(newest.map(({ event_id }) => event_id))
    print(newest.slice(0, first), at.json)
    for (;;) {
      if (options.once) return EXIT.done
      await sleep(pause_ms)
      const fresh: Json[] = []
      for (let cursor: string | undefined; ; ) {
        const { items, next_cursor } = await load(api, { ...query, ...(cursor !== undefined && { cursor }) })
        const unseen = items.filter(({ event_id }) => !shown.has(event_id))
        fresh.push(...unseen)
        // Where a whole page was new there may be more behind it.
        if (unseen.length < items.length || next_cursor === undefined) break
        cursor = next_cursor
      }
      for (const { event_id } of fresh.toReversed()) shown.add(event_id)
      for (const event_id of [...shown].slice(0, Math.max(0, shown.size - REMEMBERED))) shown.delete(event_id)
      print(fresh, at.json)
    }
  } finally {
    await server.close()
  }
}

async function load(api: Api, query: Record<string, string>): Promise<{ items: Json[]; next_cursor?: string }> {
  const { json } = await ask(api, LIST, { params: {}, query: { ...query, limit: String(AT_ONCE) } })
  return json as unknown as { items: Json[]; next_cursor?: string }
}

function print(newest_first: readonly Json[], json: boolean): void {
  for (const event of newest_first.toReversed()) {
    process.stdout.write(`${json ? JSON.stringify(event) : describeEvent(event)}\n`)
  }
}

function describeEvent({ at, type, actor, client_id, user_id, detail }: Json): string {
  const about = Object.entries({ actor, client_id, user_id }).filter(([, value]) => value !== null)
  const named = about.map(([name, value]) => `${name}=${describeValue(name, value)}`)
  const more = Object.keys((detail ?? {}) as Json).length > 0 ? [describeValue('detail', detail)] : []
  return [describeValue('at', at), describeValue('type', type), ...named, ...more].join('  ')
}

function readNumber(text: string, option: string, least: number, most: number): number {
  const number = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN
  if (number >= least && number <= most) return number
  throw new CommandError(`${option} must be a whole number from ${least} to ${most}`)
}
