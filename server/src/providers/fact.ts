/**
 * How well a value is known: read in the vendor's own documentation; agreed on by several independent catalogues; said
 * by somebody else; said by nobody we could name; or set by the operator of this server.
 */
export type FactStatus = 'verified' | 'corroborated' | 'secondary' | 'unverified' | 'configured'

/** One value of a provider record with where it comes from; `checked` is the day somebody last read the source. */
export interface Fact<T> {
  readonly value: T
  readonly status: FactStatus
  readonly source: string | null
  readonly checked: string | null
}

/** A value read in the vendor's own documentation, or in the standard that the provider follows. */
export function verified<const T>(value: T, source: string, checked: string | null = null): Fact<T> {
  return { value, status: 'verified', source, checked }
}

/** A value that several independent catalogues agree on. */
export function corroborated<const T>(value: T, source: string, checked: string | null = null): Fact<T> {
  return { value, status: 'corroborated', source, checked }
}

/** A value that somebody other than the vendor reports. */
export function secondary<const T>(value: T, source: string, checked: string | null = null): Fact<T> {
  return { value, status: 'secondary', source, checked }
}

/** A value that is believed but that no source was found for; shown as such wherever it appears. */
export function unverified<const T>(value: T, source: string | null = null): Fact<T> {
  return { value, status: 'unverified', source, checked: null }
}

/** A value that the operator of this server set. */
export function configured<const T>(value: T): Fact<T> {
  return { value, status: 'configured', source: null, checked: null }
}
