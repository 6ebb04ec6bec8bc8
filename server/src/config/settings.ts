/** One setting: its names, and the text of its help. What is secret has no flag: arguments can be read by others. */
export interface Setting {
  readonly env: string
  readonly flag?: string
  readonly about: string
}

/** Every setting of the server by its name in the file's `server` section. */
export const SETTINGS = {
  host: { env: 'HOST', flag: '--host <address>', about: 'address to listen on (default: 127.0.0.1)' },
  port: {
    env: 'PORT',
    flag: '--port <number>',
    about: 'port to listen on (default: that of an http issuer, else 9400)',
  },
  issuer: {
    env: 'SALLYPORT_ISSUER',
    flag: '--issuer <url>',
    about: 'URL at which clients reach this server (default: http://localhost:<port>)',
  },
  data_dir: {
    env: 'SALLYPORT_DATA_DIR',
    flag: '--data-dir <folder>',
    about: 'folder of the embedded database and the admin socket (default: .sallyport)',
  },
  database_url: { env: 'DATABASE_URL', about: 'PostgreSQL instead of the embedded database' },
  root_key: {
    env: 'SALLYPORT_ROOT_KEY',
    about: 'the key that seals every other: 32 bytes as base64 or hex; after it, during a rotation, the former one',
  },
  root_key_file: {
    env: 'SALLYPORT_ROOT_KEY_FILE',
    flag: '--root-key-file <file>',
    about: 'file with the root key',
  },
  vault_key: {
    env: 'SALLYPORT_VAULT_KEY',
    about:
      'a root key for the vault alone, so that what people connect stays closed without it (default: the root key)',
  },
  vault_key_file: {
    env: 'SALLYPORT_VAULT_KEY_FILE',
    flag: '--vault-key-file <file>',
    about: 'file with the root key of the vault',
  },
  trusted_proxies: {
    env: 'SALLYPORT_TRUSTED_PROXIES',
    flag: '--trusted-proxies <list>',
    about: 'addresses or CIDR ranges, by comma, of proxies whose X-Forwarded-For is believed (default: none)',
  },
  endpoint_aliases: {
    env: 'SALLYPORT_ENDPOINT_ALIASES',
    flag: '--endpoint-aliases <list>',
    about: 'further paths of the common endpoints, by comma, such as token_endpoint=/v2/oauth2/token (default: none)',
  },
  client_certificate_header: {
    env: 'SALLYPORT_CLIENT_CERTIFICATE_HEADER',
    flag: '--client-certificate-header <name>',
    about: 'header in which a trusted proxy passes on the TLS certificate of a client, such as Client-Cert (RFC 9440)',
  },
  client_certificate_authorities: {
    env: 'SALLYPORT_CLIENT_CERTIFICATE_AUTHORITIES',
    flag: '--client-certificate-authorities <file>',
    about: 'PEM file of the authorities that issue the certificates of clients (tls_client_auth)',
  },
  client_certificate_origin: {
    env: 'SALLYPORT_CLIENT_CERTIFICATE_ORIGIN',
    flag: '--client-certificate-origin <url>',
    about: 'https origin at which the proxy asks for certificates (default: that of the issuer)',
  },
  egress_allow: {
    env: 'SALLYPORT_EGRESS_ALLOW',
    flag: '--egress-allow <list>',
    about: 'hosts, host:port or CIDR, by comma, that may be called although they are internal or plain http',
  },
  proxy_timeout_seconds: {
    env: 'SALLYPORT_PROXY_TIMEOUT_SECONDS',
    flag: '--proxy-timeout-seconds <number>',
    about: 'how long a call through the proxy may take as a whole (default: 300)',
  },
  proxy_idle_seconds: {
    env: 'SALLYPORT_PROXY_IDLE_SECONDS',
    flag: '--proxy-idle-seconds <number>',
    about: 'the longest pause within an answer through the proxy (default: 30)',
  },
  proxy_body_bytes: {
    env: 'SALLYPORT_PROXY_BODY_BYTES',
    flag: '--proxy-body-bytes <number>',
    about: 'the largest body through the proxy, in either direction (default: 268435456)',
  },
  proxy_header_bytes: {
    env: 'SALLYPORT_PROXY_HEADER_BYTES',
    flag: '--proxy-header-bytes <number>',
    about: "the most bytes of an answer's headers through the proxy (default: 16384)",
  },
  connectors_file: {
    env: 'SALLYPORT_CONNECTORS_FILE',
    flag: '--connectors-file <file>',
    about: 'file of connectors that every tenant has and none changes; give it to the servers of all (default: none)',
  },
  smtp_url: { env: 'SALLYPORT_SMTP_URL', about: 'SMTP server for e-mail: smtp[s]://user:password@host:port' },
  mail_from: {
    env: 'SALLYPORT_MAIL_FROM',
    flag: '--mail-from <address>',
    about: 'sender of e-mail: an address, or Name <address>',
  },
  claims_hook_url: {
    env: 'SALLYPORT_CLAIMS_HOOK_URL',
    flag: '--claims-hook-url <url>',
    about: 'your own service that answers further claims for tokens, asked by a signed POST (default: none)',
  },
  claims_hook_secret: {
    env: 'SALLYPORT_CLAIMS_HOOK_SECRET',
    about: 'what signs the questions to it: whsec_ and 24 to 64 random bytes as base64',
  },
  metrics_listen: {
    env: 'SALLYPORT_METRICS_LISTEN',
    flag: '--metrics-listen <address>',
    about: 'address and port at which metrics are served, such as 127.0.0.1:9464 (default: nowhere)',
  },
  metrics_token: {
    env: 'SALLYPORT_METRICS_TOKEN',
    about: 'bearer token of whoever reads the metrics; needed where other machines reach them',
  },
  log_level: {
    env: 'SALLYPORT_LOG_LEVEL',
    flag: '--log-level <level>',
    about: 'debug, info, warn, error or silent (default: info)',
  },
  log_format: {
    env: 'SALLYPORT_LOG_FORMAT',
    flag: '--log-format <format>',
    about: 'text or json (default: text in development, json in production and in a file)',
  },
  log_file: { env: 'SALLYPORT_LOG_FILE', flag: '--log-file <file>', about: 'file for the log (default: stdout)' },
  playground: {
    env: 'SALLYPORT_PLAYGROUND',
    flag: '--playground <when>',
    about: 'development, or always to have it under an https issuer as well (default: development)',
  },
} as const satisfies Record<string, Setting>

/** The name of a setting. */
export type SettingName = keyof typeof SETTINGS

/** The variable that holds an access token for the administration API, for commands that nobody signs in for. */
export const ACCESS_TOKEN_VARIABLE = 'SALLYPORT_ACCESS_TOKEN'

/** The variable that names the platform file, beside the flag `--config`. */
export const CONFIG_VARIABLE = 'SALLYPORT_CONFIG'
