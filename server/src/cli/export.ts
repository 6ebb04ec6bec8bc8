import type { CommandConfig } from './command_config.ts'
import { EXIT } from './exit_codes.ts'
import { withAdministration } from './open_app.ts'

/** `export`: prints what the server holds as a platform file; secrets are only referred to. */
export async function exportHeld({ config }: CommandConfig, users: boolean, json: boolean): Promise<number> {
  const { writePlatformFile } = await import('../apply/export_platform.ts')
  const exported = await withAdministration(config, (administration) => administration.exportPlatform({ users }))
  process.stdout.write(json ? `${JSON.stringify(exported.platform, null, 2)}\n` : writePlatformFile(exported))
  for (const name of json ? exported.secrets : []) process.stderr.write(`needs ${name} in the environment\n`)
  return EXIT.done
}
