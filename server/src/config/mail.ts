import { refuse } from './config_error.ts'

/** The URL of an SMTP server. */
export function readSmtpUrl(text: string, name: string): string {
  // The URL may hold a password, so it is never repeated.
  const url = URL.parse(text)
  if (
    !url ||
    !/^smtps?:$/.test(url.protocol) ||
    url.hostname === '' ||
    !/^\/?$/.test(url.pathname + url.search + url.hash)
  ) {
    throw refuse(`${name} must be a URL such as smtps://user:password@mail.example.com`)
  }
  return text
}

/** An address, or a name with an address, that letters are from. */
export function readMailFrom(text: string, name: string): string {
  const address = /^(?:[^<>"\p{Cc}]{1,100} )?<([^<>]+)>$/u.exec(text)?.[1] ?? text
  if (!/^[^\s@<>"(),:;[\]\\]{1,64}@[A-Za-z0-9.-]{1,189}$/.test(address)) {
    throw refuse(`${name} must be an address such as login@example.com, or Name <login@example.com>`)
  }
  return text
}
