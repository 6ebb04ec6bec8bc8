import { ConfigError } from '../config/config_error.ts'
import type { Administration, ShownTenant } from './administration.ts'
import type { CommandConfig } from './command_config.ts'
import { CommandError, EXIT } from './exit_codes.ts'
import { requireMade, withAdministration } from './open_app.ts'
import { confirm, printable } from './terminal.ts'

const ENDS = [
  'Nobody signs in there, no token is issued and none is good, apps and agents are refused at once, on every replica.',
  'What was issued is dead for good: after enabling it everybody signs in anew. Users, clients and connections stay.',
]

/** `tenants list`, `tenants disable <issuer>` and `tenants enable <issuer>`, over all tenants of the database. */
export async function tenants(
  { config }: CommandConfig,
  action: string,
  which: string | undefined,
  options: { readonly json: boolean; readonly yes: boolean },
): Promise<number> {
  if (action !== 'list' && action !== 'disable' && action !== 'enable') {
    throw new ConfigError([
      `tenants ${action} is not known; there are tenants list, tenants disable and tenants enable`,
    ])
  }
  if (action === 'list' && which !== undefined) throw new ConfigError(['tenants list takes no argument'])
  if (action !== 'list' && which === undefined) {
    throw new ConfigError([`tenants ${action} needs an issuer or a tenant_id; \`sallyport tenants list\` shows them`])
  }
  await requireMade(config)
  return withAdministration(config, async (administration) => {
    if (action === 'list') {
      const all = await administration.listTenants()
      print(options.json ? toJson({ tenants: all }) : describeTenants(all))
      return EXIT.done
    }
    const found = await findTenant(administration, which!)
    const disabled = action === 'disable'
    if (disabled && !options.yes) await confirm(`${ENDS.join('\n')}\nDisable ${printable(found.issuer)}?`)
    const { changed, tenant } = await administration.switchTenant({ tenant_id: found.tenant_id, disabled })
    print(options.json ? toJson({ changed, ...tenant }) : describeSwitch(tenant, changed))
    return EXIT.done
  })
}

async function findTenant(administration: Administration, which: string): Promise<ShownTenant> {
  const all = await administration.listTenants()
  const found = all.find(({ issuer, tenant_id }) => issuer === which || tenant_id === which)
  if (found) return found
  throw new CommandError(
    `There is no tenant ${printable(which)}; \`sallyport tenants list\` shows them`,
    EXIT.not_there,
  )
}

/** The tenants as lines for people. */
function describeTenants(all: readonly ShownTenant[]): string {
  const width = Math.max(...all.map(({ issuer }) => printable(issuer).length))
  const lines = all.map(({ tenant_id, issuer, name, since, disabled, here }) => {
    const state = disabled === null ? 'enabled' : `disabled since ${disabled}`
    const whose = here ? ', served here' : ''
    return `${printable(issuer).padEnd(width)}  ${tenant_id}  since ${since}  ${state}${whose}  ${printable(name)}`
  })
  return `${lines.join('\n')}\n`
}

function describeSwitch({ issuer, disabled }: ShownTenant, changed: boolean): string {
  const shown = printable(issuer)
  if (!changed)
    return `${shown} is ${disabled === null ? 'enabled' : `disabled since ${disabled}`}: nothing was changed\n`
  if (disabled === null) return `${shown} is enabled: people sign in again, and apps ask for new tokens\n`
  return `${shown} is disabled. ${ENDS.join(' ')}\n\`sallyport tenants enable ${shown}\` opens it again\n`
}

function print(text: string): void {
  process.stdout.write(text)
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
