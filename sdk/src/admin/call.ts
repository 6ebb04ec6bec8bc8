/** What any function of the administration API takes beside what it is about. */
export interface Options {
  /** Gives up when it is aborted. */
  readonly signal?: AbortSignal
  /** Of a POST: sent again under the same key it is done once. Default: a new one for each call. */
  readonly idempotency_key?: string
}

/** Of what is changed: the version that was seen, as `etagOf` says it, or `*` for whatever stands. */
export interface Change extends Options {
  readonly if_match: string
}

/** A page of a list, and where the next one begins. */
export interface Page<Item> {
  readonly items: readonly Item[]
  readonly next_cursor?: string
}

/** A list: every item of it, page by page as they are asked for, or the one page that the options name. */
export interface Pages<Item> extends AsyncIterable<Item> {
  page(): Promise<Page<Item>>
}
