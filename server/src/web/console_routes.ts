import type { Hono } from 'hono'
import { clientPage, deleteClientSubmit, setClientDisabledSubmit } from './admin/clients/client.ts'
import { askForLogoSubmit } from './admin/clients/client_logo.ts'
import { clientRightsPage } from './admin/clients/client_rights.ts'
import { endSecretSubmit, rotateSecretSubmit } from './admin/clients/client_secrets.ts'
import { switchClientSubmit } from './admin/clients/client_switches.ts'
import { clientsPage, newClientPage, newClientSubmit } from './admin/clients/clients.ts'
import { editClientPage, editClientSubmit } from './admin/clients/edit_client.ts'
import {
  endRegistrationTokenSubmit,
  newRegistrationTokenSubmit,
  registrationTokensPage,
} from './admin/clients/registration_tokens.ts'
import { endGrantSubmit, grantPage, grantsPage } from './admin/inbound/grants.ts'
import { inviteUserSubmit, newUserPage, newUserSubmit } from './admin/inbound/new_user.ts'
import {
  editResourcePage,
  newResourcePage,
  resourcePage,
  resourcesPage,
  saveResourceSubmit,
} from './admin/inbound/resources.ts'
import { askRightsPage, editRolePage, newRolePage, rolesPage, saveRoleSubmit } from './admin/inbound/roles.ts'
import {
  editTrustedIssuerPage,
  newTrustedIssuerPage,
  saveTrustedIssuerSubmit,
  trustedIssuerPage,
  trustedIssuersPage,
} from './admin/inbound/trusted_issuers.ts'
import {
  deleteTokenOfUserSubmit,
  deleteUserSubmit,
  endSessionsSubmit,
  setUserDisabledSubmit,
  userPage,
  usersPage,
} from './admin/inbound/users.ts'
import { connectSessionsPage, endConnectSessionSubmit } from './admin/outbound/connect_sessions.ts'
import {
  connectionPage,
  connectionsPage,
  disconnectConnectionSubmit,
  refreshConnectionSubmit,
  revealTokenPage,
  revealTokenSubmit,
} from './admin/outbound/connections.ts'
import {
  connectorPage,
  connectorsPage,
  deleteConnectorSubmit,
  rotateConnectorKeySubmit,
  setConnectorDisabledSubmit,
  testConnectorSubmit,
} from './admin/outbound/connectors.ts'
import {
  editConnectorPage,
  editConnectorSubmit,
  newConnectorPage,
  newConnectorSubmit,
} from './admin/outbound/edit_connector.ts'
import { brandPage, brandSubmit } from './admin/server/brand.ts'
import { eventPage, eventsPage, exportEventsPage } from './admin/server/events.ts'
import { firstRunPage } from './admin/server/first_run.ts'
import { followEventsPage } from './admin/server/follow_events.ts'
import { overviewPage } from './admin/server/overview.ts'
import { searchPage } from './admin/server/search.ts'
import { editSettingsPage, editSettingsSubmit, settingsPage } from './admin/server/settings.ts'
import { keysPage, revokeKeySubmit, rotateKeysSubmit } from './admin/server/signing_keys.ts'
import { tenantPage } from './admin/server/tenant.ts'
import {
  deleteWebhookSubmit,
  editWebhookPage,
  editWebhookSubmit,
  newWebhookPage,
  newWebhookSubmit,
  replayDeliverySubmit,
  replayWebhookSubmit,
  rotateWebhookSubmit,
  setWebhookDisabledSubmit,
  webhookPage,
  webhooksPage,
} from './admin/server/webhooks.ts'
import type { PageEnv } from './page.ts'
import { paths } from './ui/paths.ts'

/** Every URL of the console, section by section as its navigation names them. */
export function addConsoleRoutes(pages: Hono<PageEnv>): void {
  pages.get(paths.admin, overviewPage)
  pages.get(paths.admin_first_run, firstRunPage)
  pages.get(paths.admin_search, searchPage)
  pages.get(paths.admin_clients, clientsPage)
  pages.get(paths.admin_new_client, newClientPage)
  pages.post(paths.admin_new_client, newClientSubmit)
  pages.get(paths.admin_registration_tokens, registrationTokensPage)
  pages.post(paths.admin_registration_tokens, newRegistrationTokenSubmit)
  pages.post(paths.admin_end_registration_token, endRegistrationTokenSubmit)
  pages.get(paths.admin_client, clientPage)
  pages.get(paths.admin_edit_client, editClientPage)
  pages.post(paths.admin_edit_client, editClientSubmit)
  pages.post(paths.admin_rotate_secret, rotateSecretSubmit)
  pages.post(paths.admin_end_secret, endSecretSubmit)
  pages.post(paths.admin_disable_client, setClientDisabledSubmit(true))
  pages.post(paths.admin_enable_client, setClientDisabledSubmit(false))
  pages.post(paths.admin_delete_client, deleteClientSubmit)
  pages.post(paths.admin_switch_client, switchClientSubmit)
  pages.post(paths.admin_client_logo, askForLogoSubmit)
  pages.get(paths.admin_client_rights, clientRightsPage)
  pages.get(paths.admin_resources, resourcesPage)
  pages.get(paths.admin_new_resource, newResourcePage)
  pages.post(paths.admin_new_resource, saveResourceSubmit('new'))
  pages.get(paths.admin_resource, resourcePage)
  pages.get(paths.admin_edit_resource, editResourcePage)
  pages.post(paths.admin_edit_resource, saveResourceSubmit('known'))
  pages.get(paths.admin_trusted_issuers, trustedIssuersPage)
  pages.get(paths.admin_new_trusted_issuer, newTrustedIssuerPage)
  pages.post(paths.admin_new_trusted_issuer, saveTrustedIssuerSubmit('new'))
  pages.get(paths.admin_trusted_issuer, trustedIssuerPage)
  pages.get(paths.admin_edit_trusted_issuer, editTrustedIssuerPage)
  pages.post(paths.admin_edit_trusted_issuer, saveTrustedIssuerSubmit('known'))
  pages.get(paths.admin_users, usersPage)
  pages.get(paths.admin_user, userPage)
  pages.post(paths.admin_disable_user, setUserDisabledSubmit(true))
  pages.post(paths.admin_enable_user, setUserDisabledSubmit(false))
  pages.get(paths.admin_new_user, newUserPage)
  pages.post(paths.admin_new_user, newUserSubmit)
  pages.post(paths.admin_invite_user, inviteUserSubmit)
  pages.post(paths.admin_delete_user, deleteUserSubmit)
  pages.post(paths.admin_end_sessions, endSessionsSubmit)
  pages.post(paths.admin_delete_token, deleteTokenOfUserSubmit)
  pages.get(paths.admin_connectors, connectorsPage)
  pages.get(paths.admin_new_connector, newConnectorPage)
  pages.post(paths.admin_new_connector, newConnectorSubmit)
  pages.get(paths.admin_connector, connectorPage)
  pages.get(paths.admin_edit_connector, editConnectorPage)
  pages.post(paths.admin_edit_connector, editConnectorSubmit)
  pages.post(paths.admin_test_connector, testConnectorSubmit)
  pages.post(paths.admin_disable_connector, setConnectorDisabledSubmit(true))
  pages.post(paths.admin_enable_connector, setConnectorDisabledSubmit(false))
  pages.post(paths.admin_delete_connector, deleteConnectorSubmit)
  pages.post(paths.admin_rotate_connector_key, rotateConnectorKeySubmit)
  pages.get(paths.admin_roles, rolesPage)
  pages.get(paths.admin_new_role, newRolePage)
  pages.post(paths.admin_new_role, saveRoleSubmit('new'))
  pages.get(paths.admin_edit_role, editRolePage)
  pages.post(paths.admin_edit_role, saveRoleSubmit('known'))
  pages.get(paths.admin_rights, askRightsPage)
  pages.get(paths.admin_webhooks, webhooksPage)
  pages.get(paths.admin_new_webhook, newWebhookPage)
  pages.post(paths.admin_new_webhook, newWebhookSubmit)
  pages.get(paths.admin_webhook, webhookPage)
  pages.get(paths.admin_edit_webhook, editWebhookPage)
  pages.post(paths.admin_edit_webhook, editWebhookSubmit)
  pages.post(paths.admin_rotate_webhook, rotateWebhookSubmit)
  pages.post(paths.admin_replay_delivery, replayDeliverySubmit)
  pages.post(paths.admin_replay_webhook, replayWebhookSubmit)
  pages.post(paths.admin_disable_webhook, setWebhookDisabledSubmit(true))
  pages.post(paths.admin_enable_webhook, setWebhookDisabledSubmit(false))
  pages.post(paths.admin_delete_webhook, deleteWebhookSubmit)
  pages.get(paths.admin_keys, keysPage)
  pages.post(paths.admin_rotate_keys, rotateKeysSubmit)
  pages.post(paths.admin_revoke_key, revokeKeySubmit)
  pages.get(paths.admin_settings, settingsPage)
  pages.get(paths.admin_edit_settings, editSettingsPage)
  pages.post(paths.admin_edit_settings, editSettingsSubmit)
  pages.get(paths.admin_brand, brandPage)
  pages.post(paths.admin_brand, brandSubmit)
  pages.get(paths.admin_tenant, tenantPage)
  pages.get(paths.admin_grants, grantsPage)
  pages.get(paths.admin_grant, grantPage)
  pages.post(paths.admin_end_grant, endGrantSubmit)
  pages.get(paths.admin_connections, connectionsPage)
  pages.get(paths.admin_connect_sessions, connectSessionsPage)
  pages.post(paths.admin_end_connect_session, endConnectSessionSubmit)
  pages.get(paths.admin_connection, connectionPage)
  pages.post(paths.admin_refresh_connection, refreshConnectionSubmit)
  pages.get(paths.admin_reveal_token, revealTokenPage)
  pages.post(paths.admin_reveal_token, revealTokenSubmit)
  pages.post(paths.admin_disconnect, disconnectConnectionSubmit)
  pages.get(paths.admin_events, eventsPage)
  pages.get(paths.admin_event, eventPage)
  pages.get(paths.admin_follow_events, followEventsPage)
  pages.get(paths.admin_export_events, exportEventsPage)
}
