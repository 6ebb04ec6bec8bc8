/** The rows of the security checklist, by section: each is carried by a test's title, or is an exception. */
export const SECURITY_ROWS: Readonly<Record<string, string>> = {
  '1.1 OAuth and OpenID Connect, ASVS V10': `
    10.1.1 10.1.2 10.2.1 10.2.2 10.2.3 10.3.1 10.3.2 10.3.3 10.3.4 10.3.5 10.4.1 10.4.2 10.4.3 10.4.4 10.4.5 10.4.6
    10.4.7 10.4.8 10.4.9 10.4.10 10.4.11 10.4.12 10.4.13 10.4.14 10.4.15 10.4.16 10.5.1 10.5.2 10.5.3 10.5.4 10.5.5
    10.6.1 10.6.2 10.7.1 10.7.2 10.7.3`,
  '1.2 authentication and sessions, ASVS V6 and V7': `
    6.1.1 6.2.1 6.2.9 6.2.4 6.2.12 6.2.5 6.2.8 6.2.10 6.2.2 6.2.3 6.2.6 6.2.7 6.3.1 6.3.2 6.3.3 6.3.4 6.3.5 6.3.7
    6.3.8 6.4.1 6.4.3 6.4.4 6.4.6 6.5.1 6.5.2 6.5.3 6.5.4 6.5.5 6.6.2 6.6.3 6.8.1 6.8.2 6.8.4 7.1.1 7.1.2 7.1.3 7.2.1
    7.2.2 7.2.3 7.2.4 7.3.1 7.3.2 7.4.1 7.4.2 7.4.3 7.4.5 7.5.1 7.5.2 7.5.3 7.6.1 7.6.2`,
  '1.3 self-contained tokens and cryptography, ASVS V9 and V11': `
    9.1.1 9.1.2 9.1.3 9.2.1 9.2.2 9.2.3 9.2.4 11.1.1 11.1.2 11.1.4 11.2.1 11.2.2 11.2.3 11.2.4 11.2.5 11.3.3 11.3.1
    11.3.2 11.3.4 11.4.1 11.4.3 11.4.2 11.5.1 11.5.2 11.6.1`,
  '1.4 the other chapters of ASVS': `
    2.1.1 2.1.2 2.1.3 2.2.1 2.2.2 2.2.3 2.3.1 2.3.2 2.3.3 2.3.4 2.4.1 4.1.1 4.1.2 4.1.3 4.1.4 4.2.1 4.2.2 4.2.3 4.2.4
    4.2.5 1.2.1 1.2.2 1.2.3 1.2.4 1.3.6 13.2.4 13.2.5 1.3.12 1.5.3 3.3.1 3.3.2 3.3.3 3.3.4 3.3.5 3.4.1 3.4.2 3.4.3
    3.4.4 3.4.5 3.4.6 3.4.7 3.4.8 3.5.1 3.5.2 3.5.3 3.5.4 3.5.5 3.5.6 3.5.7 3.5.8 3.7.2 3.7.3 8.2.1 8.2.2 8.2.3 8.3.1
    8.4.1 8.3.2 12.1.1 12.1.2 12.1.3 12.3.2 13.1.2 13.1.3 13.2.6 13.3.1 13.3.4 13.4.1 13.4.2 13.4.3 13.4.4 13.4.5
    13.4.6 14.2.1 14.3.2 15.2.2 15.3.2 15.3.3 15.3.4 15.3.5 15.3.6 15.3.7 15.4.1 15.4.2 15.4.3 15.4.4 16.2.5 16.3.1
    16.3.2 16.3.3 16.3.4 16.4.1 16.4.2 16.4.3 16.5.1 16.5.2 16.5.3 16.5.4`,
  '2.1 RFC 9700': `
    B-01 B-02 B-03 B-04 B-05 B-06 B-07 B-08 B-09 B-10 B-11 B-12 B-13 B-14 B-15 B-16 B-17 B-18 B-19 B-20 B-21 B-22 B-23
    B-24 B-25`,
  '2.2 RFC 6819': 'T-01 T-02 T-03 T-04 T-05 T-06 T-07 T-08 T-09 T-10 T-11 T-12',
  '2.3 OAuth 2.1': 'V-01 V-02 V-03 V-04 V-05 V-06 V-07 V-08 V-09 V-10 V-11 V-12 V-13 V-14 V-15',
  '2.4 FAPI 2.0': `
    P-01 P-02 P-03 P-04/05 P-06 P-07 P-08 P-09 P-10 P-11 P-12 P-13 P-14 P-15 P-16 P-17 P-18 P-19 P-20 P-21 P-22 P-23
    P-24 P-25 P-26 P-27 P-28 P-29 P-30`,
  '2.5 MCP': 'M-01 M-02 M-03 M-04 M-05 M-06 M-07 M-08 M-09 M-10 M-11',
  '2.6 apps in a browser': 'Q-01 Q-02 Q-03 Q-04 Q-05 Q-06',
  '2.7 native apps': 'N-01 N-02 N-03 N-04 N-05 N-06 N-07 N-08',
  '2.8 devices': 'D-01 D-02 D-03 D-04 D-05 D-06 D-07 D-08 D-09 D-10 D-11',
  '2.9 the outbound half': 'O-01 O-02 O-03 O-04 O-05 O-06 O-07',
  '3.A redirect URIs': `
    CVE-2026-28512 CVE-2024-8883 CVE-2024-52289 CVE-2025-4143 CVE-2020-15233 CVE-2020-15234 CVE-2026-7504
    CVE-2026-3872 GHSA-mpwq-j3xf-7m5w CVE-2019-3778 CVE-2019-11269 CVE-2020-26938`,
  '3.B open redirects': `
    CVE-2021-39191 CVE-2022-23527 CVE-2019-20479 CVE-2019-14857 CVE-2020-4037 GHSA-qqxw-m5fj-f7gv CVE-2021-21291
    CVE-2025-71403 CVE-2026-29067 GHSA-36f2-fcrx-fp4j`,
  '3.C codes and their bindings': `
    CVE-2026-55672 CVE-2026-28513 django-oidc-provider-411 CVE-2017-18924 CVE-2026-41213 CVE-2026-27124 CVE-2026-15612
    CVE-2026-73419 GHSA-xc49-mgwh-9pjv CVE-2025-68158`,
  '3.D refresh and revocation': `
    CVE-2026-53517 CVE-2026-50631 CVE-2026-9802 Keycloak-49213 CVE-2026-53512 CVE-2026-43983 CVE-2023-22492
    CVE-2026-8922 CVE-2016-6582 CVE-2018-1000211 CVE-2025-26620 authgate-203`,
  '3.E PKCE': 'CVE-2024-23647 CVE-2024-22258 CVE-2025-4144 CVE-2026-123542',
  '3.F client authentication and policies': `
    CVE-2020-15222 CVE-2025-27370 CVE-2025-27371 CVE-2025-64521 CVE-2026-9792 CVE-2026-7571 CVE-2025-61928
    CVE-2026-104850`,
  '3.G JWTs': `
    CVE-2026-11800 CVE-2026-22817 CVE-2026-22818 CVE-2023-48223 CVE-2026-107724 CVE-2022-23539 CVE-2022-23540
    CVE-2022-23541 CVE-2026-27962 CVE-2026-28802 CVE-2026-28498 CVE-2025-59420 CVE-2026-9793 CVE-2020-26160
    CVE-2016-9122 CVE-2026-55669 GHSA-7fpj-9hr8-28vh CVE-2019-3868 CVE-2026-27840 CVE-2026-22748`,
  '3.H egress': `
    CVE-2026-22752 CVE-2026-56739 CVE-2026-92804 CVE-2026-4874 CVE-2024-49753 CVE-2026-27945 CVE-2026-55671
    CVE-2026-5469`,
  '3.I injection into pages': `
    CVE-2018-1000088 CVE-2023-6134 GHSA-9vm7-v8wj-3fqw CVE-2020-10776 CVE-2026-67333 CVE-2021-32792 CVE-2024-29891
    CVE-2025-67495 CVE-2026-29192 CVE-2024-41953 CVE-2024-28855 CVE-2026-5468 CVE-2026-33525 CVE-2023-6717
    CVE-2016-4977 CVE-2018-1260`,
  '3.J CSRF, fixation and skipped steps': `
    GHSA-c9rq-mvr5-3w32 CVE-2026-7507 GHSA-c9h6-v78w-52wj CVE-2025-12390 CVE-2023-29019 GHSA-2ccf-ffrj-m4qw
    CVE-2024-28197 CVE-2023-34246 CVE-2026-18963 CVE-2026-1529 GHSA-xg6x-h9c9-2m83 CVE-2026-9091 CVE-2026-105211
    GHSA-hp74-gm6m-2qm5`,
  '3.K timing and enumeration': `
    CVE-2026-22746 CVE-2026-75589 CXF-3170 dex-1861 Authorizer-569 CVE-2026-23511 CVE-2024-41952 CVE-2025-67717`,
  '3.L denial of service': `
    CVE-2023-49290 CVE-2023-50966 GHSA-2c7c-3mj9-8fqh GHSA-6qvw-249j-h44c CVE-2024-28180 CVE-2024-28122 CVE-2024-29371
    CVE-2025-27144 CVE-2025-22868 CVE-2026-34986 CVE-2026-4634 CVE-2024-24814 CVE-2024-1249 CVE-2018-12122`,
  '3.M guesses': 'CVE-2026-45364 GHSA-85v8-vx4w-q684 CVE-2024-4629 CVE-2024-32868 CVE-2025-64102 CVE-2025-24806',
  '3.N scopes and audiences': `
    CVE-2024-52287 CVE-2026-67332 CVE-2025-69196 CVE-2026-33132 CVE-2024-29892 CVE-2026-63203 CVE-2026-102596`,
  '3.O exchange and assertions': `
    CVE-2022-1245 CVE-2026-9094 CVE-2026-9097 GHSA-7qjx-gp9h-65qj CVE-2026-1486 Keycloak-48104`,
  '3.P devices in the field': 'CVE-2024-38371 CVE-2026-45337 CVE-2023-2585',
  '3.Q registration': 'GHSA-46c8-635v-68r2 Tenable-114920',
  '3.R CORS': 'CVE-2024-41657',
  '3.S secrets that show': `
    CVE-2024-51752 CVE-2026-19363 Nhost-advisory CVE-2024-39315 CVE-2020-10187 CVE-2021-32791 GHSA-rm8v-mxj3-5rmq
    CVE-2021-29443`,
  '3.T linking of accounts': 'CVE-2026-53516 GHSA-6g38-8j4p-j3pr CVE-2026-105207 CVE-2026-49443 CVE-2026-40574',
  '3.U what is disabled': `
    CVE-2025-53942 CVE-2026-3009 CVE-2026-2603 CVE-2025-64717 CVE-2024-47000 CVE-2024-46999 CVE-2025-64708`,
  '3.V proxies, paths and caches': `
    CVE-2025-64101 CVE-2025-64484 CVE-2026-40575 CVE-2025-54576 CVE-2026-41059 CVE-2026-33496 GHSA-qvp4-rpmr-xwrr`,
  '3.W tenants and objects': `
    CVE-2026-70474 CVE-2026-70478 CVE-2025-27507 CVE-2025-64431 CVE-2026-55670 CVE-2026-33504`,
}

/** Rows that ask for what this product does not do, or that no test here can show, each with the reason. */
export const EXCEPTIONS: Readonly<Record<string, string>> = {
  'CVE-2026-33132': 'A tenant has no organizations inside of it, and so no scope that could name one.',
  'CVE-2026-2603': 'This server speaks no SAML, as a provider or as a client of one.',
  'N-06':
    'It says may, and an embedded browser that means harm does not say what it is: to refuse those that do protects nobody.',
  '3.4.7':
    'No page takes a script from data, and a server that collects reports of browsers would take them from anybody: there is none here.',
  '3.5.4':
    'Which applications share a host name is up to who runs them: docs/configuration.md asks for one of its own (issuer).',
  '6.3.5':
    'Letters tell of each change and of a recovery code that was used (6.3.7); one for each wrong guess would let strangers fill a mailbox.',
  '6.4.6':
    'No page lets an administrator choose a password; the file of a platform and POST /api/users give first ones, for imports and sign-up pages.',
  '10.5.5': 'No session of ours hangs on one elsewhere, so no logout token is taken in: there is no URL for one.',
  '15.4.1': 'JavaScript shares no objects between threads; what processes share is in the database (15.4.2, 15.4.3).',
  '16.4.3':
    'The log is standard output, which docs/configuration.md has collected elsewhere; where to is up to who runs the server.',
}
