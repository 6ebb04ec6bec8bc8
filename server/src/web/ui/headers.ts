/** What a page needs of its headers. */
export interface PageHeaderOptions {
  /** True behind an https issuer: browsers are then told to come back by https only. */
  readonly production: boolean
  /** True where an island of ours runs (show password, passkeys); without it no script runs at all. */
  readonly script?: boolean
  /** The language of the page (RFC 9110 section 8.5), which follows what the browser says and what was chosen in it. */
  readonly lang?: string
}

const POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "object-src 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const NO_FEATURES = [
  'accelerometer',
  'autoplay',
  'camera',
  'display-capture',
  'encrypted-media',
  'fullscreen',
  'geolocation',
  'gyroscope',
  'hid',
  'magnetometer',
  'microphone',
  'midi',
  'payment',
  'picture-in-picture',
  'screen-wake-lock',
  'serial',
  'sync-xhr',
  'usb',
  'xr-spatial-tracking',
]
  .map((feature) => `${feature}=()`)
  .join(', ')

/** Tells browsers to come back by https only; on every answer of an https issuer (RFC 6797 section 7.1, ASVS 3.4.1). */
export const HTTPS_ONLY = { 'strict-transport-security': 'max-age=63072000; includeSubDomains' } as const

/**
 * Headers of every page (RFC 9700 sections 4.2.4 and 4.16, ASVS 3.4). There is no `form-action` directive: Chromium
 * applies it to the redirect that answers a form, which here leads to the client. `no-referrer` makes browsers send
 * `Origin: null` with a posted form, so the CSRF check must read `Sec-Fetch-Site` first.
 */
export function pageHeaders(options: PageHeaderOptions): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': `${POLICY}; script-src ${options.script ? "'self'" : "'none'"}`,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': NO_FEATURES,
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  }
  if (options.lang !== undefined) {
    headers['content-language'] = options.lang
    headers['vary'] = 'Accept-Language, Cookie'
  }
  return options.production ? { ...headers, ...HTTPS_ONLY } : headers
}
