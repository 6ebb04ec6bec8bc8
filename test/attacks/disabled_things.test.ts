import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { PATHS, type Path, startWorlds, switchOff, THINGS } from '../parts/grant_paths.ts'
import { DIALECTS } from '../parts/stores.ts'

/** Tries each path; answers by name what came of it. */
async function tryAll(tries: ReadonlyMap<Path, () => Promise<string>>): Promise<Map<Path, string>> {
  const came = new Map<Path, string>()
  for (const [path, attempt] of tries) came.set(path, await attempt())
  return came
}

const refused = (came: ReadonlyMap<Path, string>) =>
  [...came].flatMap(([{ name }, what]) => (what === 'granted' ? [] : [name])).sort()

const namesOf = (paths: readonly Path[]) => paths.map(({ name }) => name).sort()

for (const dialect of DIALECTS) {
  describe(`every path without each thing, on ${dialect}`, async () => {
    const worlds = await startWorlds(dialect)
    test.after(() => worlds.bridge.stop())

    test('8.3.2 every path is granted while nothing is missing', async () => {
      const world = await worlds.make()
      for (const path of PATHS) assert.equal(await (await path.prepare(world))(), 'granted', path.name)
    })

    for (const thing of THINGS) {
      test(`8.3.2 without its ${thing} nothing that hangs on it is granted, and all else is`, async () => {
        const world = await worlds.make()
        const tries = new Map<Path, () => Promise<string>>()
        for (const path of PATHS) tries.set(path, await path.prepare(world))
        const hanging = PATHS.filter(({ hangs_on }) => hangs_on.includes(thing))
        const switchOn = await switchOff(worlds.bridge, world, thing)
        const without = await tryAll(tries)
        assert.deepEqual(refused(without), namesOf(hanging))
        for (const [{ name }, what] of without) assert.doesNotMatch(what, /failed|server_error/, name)
        if (!switchOn) return
        await switchOn()
        const again = new Map(hanging.map((path) => [path, tries.get(path)!]))
        const lost = hanging.filter(({ comes_back_with }) => !comes_back_with?.includes(thing))
        assert.deepEqual(refused(await tryAll(again)), namesOf(lost), 'what was held before is over for good')
      })
    }
  })
}
