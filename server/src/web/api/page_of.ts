import * as z from 'zod'
import type { Reply } from './route.ts'

const MOST = 200
const USUAL = 50

/** The query of a list: what follows the cursor, at most `limit`. */
export const PAGING = {
  cursor: z.string().max(2048).optional().meta({ description: 'The next_cursor of the page before' }),
  limit: z
    .string()
    .regex(/^[1-9]\d{0,3}$/, 'must be a whole number')
    .transform(Number)
    .refine((limit) => limit <= MOST, `must be at most ${MOST}`)
    .default(USUAL)
    .meta({ description: `At most so many; ${USUAL} unless said`, type: 'integer', minimum: 1, maximum: MOST }),
} as const

/** A page of a list. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.strictObject({ items: z.array(item), next_cursor: z.string().optional() })
}

/** Answers a page of rows: those asked for and one more, which tells that there is a next page. */
export async function replyPage<Row, Item>(
  { cursor, limit }: { readonly cursor?: string | undefined; readonly limit: number },
  find: (after: string, most: number) => Promise<readonly Row[]>,
  show: (row: Row) => Item,
  cursorOf: (row: Row) => string,
): Promise<Reply<{ items: Item[]; next_cursor?: string }>> {
  const found = await find(cursor ?? '', limit + 1)
  const rows = found.slice(0, limit)
  const next_cursor = found.length > limit ? cursorOf(rows.at(-1)!) : undefined
  return { value: { items: rows.map(show), ...(next_cursor !== undefined && { next_cursor }) } }
}

/** The same of a list that is at hand whole, by the order of its cursors. */
export function replyWhole<Row, Item>(
  query: { readonly cursor?: string | undefined; readonly limit: number },
  rows: readonly Row[],
  show: (row: Row) => Item,
  cursorOf: (row: Row) => string,
) {
  const sorted = rows.toSorted((a, b) => (cursorOf(a) < cursorOf(b) ? -1 : 1))
  const find = async (after: string, most: number) => sorted.filter((row) => cursorOf(row) > after).slice(0, most)
  return replyPage(query, find, show, cursorOf)
}
