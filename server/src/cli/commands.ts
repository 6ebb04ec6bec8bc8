import type { Administration } from './administration.ts'
import type { CommandConfig } from './command_config.ts'
import { describeChecks, examine } from './doctor.ts'
import { withAdministration } from './open_app.ts'
import { migrateDatabase } from './open_store.ts'
import { showProgress } from './progress.ts'
import { describeOutcome } from './show_outcome.ts'

const APPLIED = { create: 'made', change: 'changed', none: 'as described already' }
const PLANNED = { create: 'to make', change: 'to change', none: 'as described already' }

/** `apply -f`: makes the server hold what a platform file describes. */
export async function apply({ config, platform }: CommandConfig, json: boolean): Promise<number> {
  return withAdministration(config, async (administration, place) => {
    const outcome = await administration.apply(platform)
    print(json ? toJson(outcome) : describeOutcome(outcome, APPLIED, place))
    return 0
  })
}

/** `plan -f`: prints what apply would do; 2 says that there is something. */
export async function plan({ config, platform }: CommandConfig, json: boolean): Promise<number> {
  const show = async (administration: Administration, place: string) => {
    const outcome = await administration.plan(platform)
    print(json ? toJson(outcome) : describeOutcome(outcome, PLANNED, place))
    return outcome.changes.some(({ action }) => action !== 'none') ? 2 : 0
  }
  return withAdministration(config, show, { read_only: true })
}

/** `setup-link`: prints a new link; the one before it works no more. */
export async function setupLink({ config }: CommandConfig, json: boolean): Promise<number> {
  const link = await withAdministration(config, (administration) => administration.createSetupLink())
  print(json ? toJson(link) : `${link.url}\n`)
  return 0
}

/** `migrate`: brings the database up to date. */
export async function migrate({ config }: CommandConfig, json: boolean): Promise<number> {
  const progress = showProgress('migrate', 'migrations', json)
  const applied = await migrateDatabase(config, progress.tell).finally(progress.end)
  const said = applied.length === 0 ? 'The database is up to date' : `Applied ${applied.join(', ')}`
  print(json ? toJson({ applied }) : `${said}\n`)
  return 0
}

/** `doctor`: looks at everything; 1 says that something fails. */
export async function doctor({ config }: CommandConfig, json: boolean): Promise<number> {
  const checks = await examine(config)
  print(json ? toJson({ checks }) : describeChecks(checks))
  return checks.some(({ status }) => status === 'fail') ? 1 : 0
}

function print(text: string): void {
  process.stdout.write(text)
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
