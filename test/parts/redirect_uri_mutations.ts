/** Strings that some server has taken, or could take, for a registered redirect URI; none of them is equal to it. */
export function mutateRedirectUri(registered: string): string[] {
  const url = new URL(registered)
  const { protocol, host, hostname, pathname } = url
  const rest = registered.slice(registered.indexOf(host) + host.length)
  const port = url.port === '' ? '' : `:${url.port}`
  const at = (authority: string, path = rest) => `${protocol}//${authority}${path}`
  const evil = 'evil.example'
  const mutants = [
    ...[
      '',
      '/',
      'callback',
      '/callback',
      `//${host}${rest}`,
      `${protocol}${host}${rest}`,
      `${protocol}///${host}${rest}`,
    ],
    ...[
      'javascript:alert(1)',
      'data:text/html,x',
      'vbscript:x',
      `blob:${registered}`,
      'about:blank',
      'file:///etc/passwd',
    ],
    ...['http', 'https', 'ftp', 'ws', 'HTTPS', 'HTTP'].map((scheme) => `${scheme}://${host}${rest}`),
    ...['https:\\\\', 'https:/\\', 'https:\\/', 'https:'].map((start) => `${start}${host}${rest}`),
    // Another host, in the clothes of this one.
    ...[evil, `${host}.${evil}`, `${evil}.${host}`, `evil${host}`, `${hostname}${evil}`, `${host}@${evil}`].map((a) =>
      at(a),
    ),
    ...[`user@${host}`, `user:pw@${host}`, `@${host}`, `:@${host}`, `${host}:80@${evil}`, `${evil}%40${host}`].map(
      (a) => at(a),
    ),
    ...[`${evil}\\@${host}`, `${host}\\@${evil}`, `${evil}\\.${host}`, `${evil}%2f.${host}`, `${evil}%5c.${host}`].map(
      (a) => at(a),
    ),
    ...[`${evil}#@${host}`, `${evil}?@${host}`, `${evil}/@${host}`, `${evil}\t.${host}`, `${evil}%09.${host}`].map(
      (a) => at(a),
    ),
    ...[`${evil}%00.${host}`, `${evil}\u3002${host}`, `${hostname}.${port}`, `${hostname}%2e${port}`].map((a) => at(a)),
    ...[
      host.toUpperCase(),
      `${hostname}:1`,
      `${hostname}:65536`,
      `${hostname}:0`,
      `${hostname}:`,
      `[${hostname}]${port}`,
    ].map((a) => at(a)),
    ...['localhost', '127.0.0.2', '127.1', '2130706433', '0x7f000001', '0177.0.0.1', '[::ffff:127.0.0.1]'].map((a) =>
      at(`${a}${port}`),
    ),
    ...['0.0.0.0', '[::]', 'localtest.me', '127.0.0.1.nip.io', 'localhost.', '*.example', 'spa.*'].map((a) =>
      at(`${a}${port}`),
    ),
    // Another path, query or end.
    ...[
      '/',
      '//',
      '/.',
      '/..',
      '/../',
      '/..;/',
      '/%2e%2e/',
      '/%2e',
      '/x',
      '%2f',
      '%5c',
      '\\',
      '\\..',
      '/*',
      ';x',
      '.',
      '%20',
      ' ',
      '%09',
      '\t',
    ].map((end) => registered + end),
    ...[
      '\n',
      '\r\nSet-Cookie: a=b',
      '%0d%0aSet-Cookie:%20a=b',
      '%00',
      '\u0000',
      '\u2028',
      '%c0%ae',
      '%',
      '%zz',
      '?',
      '?x',
      '?x=1',
      '&x=1',
    ].map((end) => registered + end),
    ...['#', '#_', '#x', '?#', '%23', '%3f', '?code=x', '?redirect_uri=x', '?iss=x', '?error=x'].map(
      (end) => registered + end,
    ),
    ...['/', '/../callback', '//callback', '/./callback', '/callback/../callback', '/%63allback', '/call%62ack'].map(
      (path) => at(host, path),
    ),
    ...['/x/../callback', '/x/%2e%2e/callback', '\\callback', '/CALLBACK', '/Callback', '/callbac', '/callbackk'].map(
      (path) => at(host, path),
    ),
    ...['', '/callback%', '/\u0441allback', '/callback\u200b', '/callback\u00ad', pathname.toUpperCase()].map((path) =>
      at(host, path),
    ),
    ...[
      ` ${registered}`,
      `\t${registered}`,
      `\n${registered}`,
      `${registered}${registered}`,
      `${registered},${registered}`,
    ],
    ...[
      `${registered} https://${evil}/`,
      encodeURIComponent(registered),
      `https://${evil}/?u=${registered}`,
      `https://${evil}/#${registered}`,
    ],
    ...[
      registered.toUpperCase(),
      registered.slice(0, -1),
      registered.slice(1),
      `"${registered}"`,
      `<${registered}>`,
      `*`,
      '.*',
    ],
  ]
  return [...new Set(mutants)].filter((uri) => uri !== registered)
}
