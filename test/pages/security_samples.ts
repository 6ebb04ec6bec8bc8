import { renderActivity } from '../../server/src/web/pages/templates/activity.ts'
import { renderChangePassword } from '../../server/src/web/pages/templates/change_password.ts'
import { renderLogin } from '../../server/src/web/pages/templates/login.ts'
import { renderDeleted, renderOwnData } from '../../server/src/web/pages/templates/own_data.ts'
import {
  renderConfirmEmail,
  renderNewPassword,
  renderReset,
  renderResetOutcome,
} from '../../server/src/web/pages/templates/reset.ts'
import { renderSecondFactor } from '../../server/src/web/pages/templates/second_factor.ts'
import { renderSecurity } from '../../server/src/web/pages/templates/security.ts'
import {
  renderLinkCode,
  renderLinkOver,
  renderLinkSent,
  renderOpenLink,
} from '../../server/src/web/pages/templates/sign_in_link.ts'
import { renderSignUp, renderSignUpOver, renderSignUpSent } from '../../server/src/web/pages/templates/sign_up.ts'
import { renderRecoveryCodes, renderTotp } from '../../server/src/web/pages/templates/totp.ts'
import { name } from '../../server/src/web/ui/name.ts'
import type { View } from '../../server/src/web/ui/view.ts'
import { DAY, MINUTE, NOW, type Pages, type Put } from './sample_view.ts'

/** The pages about factors and recovery, with realistic data. */
export function securityPages(view: View, put: Put): Pages {
  const username = put('alice')
  const passkey = {
    action: put('/login/passkey'),
    sealed: put('AAAA'),
    options: { challenge: put('x'), rpId: put('id') },
  }
  const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'
  const key = { secret: put(secret), sealed: put('AAAA') }
  const uri = `otpauth://totp/Acme:alice?secret=${secret}&issuer=Acme`
  const security = {
    ...{
      may_administer: true,
      has_password: true,
      mail: true,
      host: put('login.example.com'),
      device: put('Firefox on Linux'),
    },
    ...{ required: false, recovery_codes_left: 10, totp: true },
    email: { address: put('alice@example.com'), verified: true },
    other_sessions: true,
    identities: [],
    linkable: [],
    new_passkey: { ...passkey, action: put('/account/security/passkeys') },
    passkeys: [
      {
        credential_id: put('k1'),
        name: put('Work laptop'),
        synced: false,
        created_at: NOW - 30 * DAY,
        last_used_at: NOW - MINUTE,
      },
      { credential_id: put('k2'), name: put('Phone'), synced: true, created_at: NOW - DAY },
    ],
  }
  const email = { address: put('alice@example.com'), verified: false }
  const new_account = { action: put('/sign_up'), login_href: put('/login'), password_min_length: 8 }
  const factor = { action: put('/login/factor'), username, back_href: put('/login') }
  const own_data = { may_administer: true, username, may_delete: true }
  const client = { client_id: 'calendar', client_name: put('Calendar Sync') }
  return {
    activity: () =>
      renderActivity(view, {
        may_administer: true,
        activities: [
          { at: NOW - MINUTE, type: 'session.started', by: 'you' },
          { at: NOW - 5 * MINUTE, type: 'login.refused', by: 'anybody', times: 3 },
          { at: NOW - DAY, type: 'connection.used', by: 'app', client, provider_name: put('Google') },
          { at: NOW - DAY, type: 'user.updated', by: 'administrator' },
          { at: NOW - 2 * DAY, type: 'something.new', by: 'system' },
        ],
        cursor: put('c1'),
        next_cursor: put('c2'),
      }),
    activity_empty: () => renderActivity(view, { may_administer: false, activities: [] }),
    own_data: () => renderOwnData(view, own_data),
    own_data_wrong: () => renderOwnData(view, { ...own_data, wrong: 'delete_confirm_wrong' }),
    own_data_last: () => renderOwnData(view, { ...own_data, wrong: 'last_administrator' }),
    own_data_administrators: () => renderOwnData(view, { ...own_data, may_delete: false }),
    deleted: () => renderDeleted(view),
    login_passkey: () =>
      renderLogin(view, {
        action: put('/login'),
        passkey,
        reset_href: put('/reset'),
        refusal: { reason: 'passkey_refused' },
      }),
    second_factor: () => renderSecondFactor(view, { ...factor, code: 'totp' }),
    second_factor_wrong: () =>
      renderSecondFactor(view, { ...factor, passkey, code: 'totp', refusal: { reason: 'wrong' } }),
    second_factor_passkey: () => renderSecondFactor(view, { ...factor, passkey, code: false }),
    second_factor_too_many: () =>
      renderSecondFactor(view, { ...factor, code: 'recovery', refusal: { reason: 'too_many_tries', minutes: 1 } }),
    enrol: () => renderTotp(view, { action: put('/login/enrol'), ...key, uri, required: true }),
    totp_wrong: () =>
      renderTotp(view, {
        ...{ action: put('/account/security/totp'), ...key, uri, wrong: true },
        back: { href: put('/account/security'), label: view.text.security.page.open },
      }),
    recovery_codes: () =>
      renderRecoveryCodes(view, {
        codes: Array.from({ length: 10 }, (_, i) => put(`JBSW-Y3DP-EHPK-3PXP-ABCD-EF2${i % 8}`)),
        username,
        continue_href: put('/account'),
      }),
    security: () => renderSecurity(view, security),
    security_empty: () =>
      renderSecurity(view, {
        ...{ ...security, passkeys: [], totp: false, recovery_codes_left: 0, new_passkey: null, mail: false },
        ...{ email: undefined, has_password: false, done: { tone: 'good', text: name(put('Done.')) } },
      }),
    security_last: () =>
      renderSecurity(view, { ...security, totp: false, passkeys: security.passkeys.slice(1), required: true, email }),
    change_password: () =>
      renderChangePassword(view, {
        ...{ action: put('/account/security/password'), back_href: put('/account/security'), username },
        ...{ password_min_length: 12, other_sessions: true, apps: true },
        errors: { password: put('password is one that is guessed first'), form: put('Too many tries.') },
      }),
    login_sign_up: () =>
      renderLogin(view, { action: put('/login'), reset_href: put('/reset'), sign_up_href: put('/sign_up') }),
    login_link: () =>
      renderLogin(view, {
        ...{ action: put('/login'), link_action: put('/login/link'), client, passkey },
        ...{ reset_href: put('/reset'), sign_up_href: put('/sign_up') },
      }),
    login_every_way: () =>
      renderLogin(view, {
        ...{ action: put('/login'), link_action: put('/login/link'), client, passkey },
        providers: ['Google', 'GitHub'].map((label) => ({ label: put(label), href: put('/login/with') })),
        ...{ reset_href: put('/reset'), sign_up_href: put('/sign_up'), cancel_href: put('/login/cancel') },
      }),
    login_link_again: () =>
      renderLogin(view, {
        ...{ action: put('/login'), link_action: put('/login/link'), reauthenticate: true, username },
        refusal: { reason: 'wrong_credentials' },
      }),
    link_sent: () => renderLinkSent(view, { action: put('/login/link/code'), username, login_href: put('/login') }),
    link_sent_wrong: () =>
      renderLinkSent(view, {
        ...{ action: put('/login/link/code'), username, login_href: put('/login') },
        refusal: { reason: 'wrong' },
      }),
    link_sent_too_many: () =>
      renderLinkSent(view, {
        ...{ action: put('/login/link/code'), username, login_href: put('/login') },
        refusal: { reason: 'too_many_tries', minutes: 2 },
      }),
    link_open: () =>
      renderOpenLink(view, {
        ...{ action: put('/login/link/open'), token: put('sp_sign_in_x'), username, client },
        login_href: put('/login'),
      }),
    link_open_former: () =>
      renderOpenLink(view, {
        ...{ action: put('/login/link/open'), token: put('sp_sign_in_x'), username, client: undefined },
        ...{ former: put('bob'), login_href: put('/login') },
      }),
    link_code: () =>
      renderLinkCode(view, {
        ...{ code: put('WDJB-MJHT'), username, host: put('login.example.com'), login_href: put('/login') },
      }),
    link_over: () => renderLinkOver(view, { login_href: put('/login') }),
    sign_up: () =>
      renderSignUp(view, {
        ...new_account,
        asks: 'all',
        client: { client_id: put('web'), client_name: put('Acme Notes') },
      }),
    sign_up_taken: () =>
      renderSignUp(view, {
        ...{ ...new_account, asks: 'all', client: undefined, values: { username, email: put('alice@example.com') } },
        errors: { username: view.text.sign_up.taken, form: put('Something is wrong') },
      }),
    sign_up_email: () => renderSignUp(view, { ...new_account, asks: 'email', client: undefined }),
    sign_up_account: () =>
      renderSignUp(view, {
        ...{ ...new_account, client: undefined, errors: { password: put('Use at least 8 characters.') } },
        asks: { email: put('alice@example.com'), token: put('sp_sign_up_x') },
      }),
    sign_up_sent: () => renderSignUpSent(view, { email: put('alice@example.com'), login_href: put('/login') }),
    sign_up_over: () => renderSignUpOver(view, { sign_up_href: put('/sign_up'), login_href: put('/login') }),
    reset: () => renderReset(view, { action: put('/reset'), login_href: put('/login'), on: true, missing: true }),
    reset_sent: () =>
      renderReset(view, { action: put('/reset'), login_href: put('/login'), on: true, sent_to: username }),
    reset_off: () => renderReset(view, { action: put('/reset'), login_href: put('/login'), on: false }),
    new_password: () =>
      renderNewPassword(view, {
        ...{ action: put('/reset/password'), token: put('sp_reset_x'), username, password_min_length: 8 },
        error: put('password must have 8 to 1024 characters'),
        first: false,
      }),
    new_password_first: () =>
      renderNewPassword(view, {
        ...{ action: put('/reset/password'), token: put('sp_reset_x'), username, password_min_length: 8, first: true },
      }),
    reset_done: () => renderResetOutcome(view, { done: true, first: false, href: put('/login') }),
    reset_over: () => renderResetOutcome(view, { done: false, first: false, href: put('/reset') }),
    confirm_email: () =>
      renderConfirmEmail(view, {
        ...{ action: put('/account/security/email/confirm'), token: put('sp_email_x') },
        ...{ email: put('alice@example.com'), back_href: put('/account') },
      }),
  }
}
