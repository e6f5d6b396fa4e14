// How images are registered on the first page.

import { randomHashText } from '../helpers/service.js'
import { ask, operator } from '../helpers/trust.js'
import { allProtected, chooseAtStart, type Journey, protect, someFiles, stateOf, toChoosing } from './journey.js'
import { type Fate, Finding } from './person.js'
import { type OwnFile, ownFile, type World } from './world.js'

const harmlessOf = new WeakMap<World, Promise<OwnFile>>()

/** An image that every case may add: nothing is stored of it. */
function harmlessImage(world: World): Promise<OwnFile> {
  const made = harmlessOf.get(world) ?? makeHarmless(world)
  harmlessOf.set(world, made)
  return made
}

async function makeHarmless({ service }: World): Promise<OwnFile> {
  const file = await ownFile(7_000_001)
  const { headers } = await operator(service)
  await ask(service, 'POST', '/v1/banks', headers, { name: 'harmless', purpose: 'harmless' })
  const signals = [{ type: 'pdq', hash: file.hash, quality: 100 }]
  await ask(service, 'POST', '/v1/banks/harmless/signals', headers, { signals })
  return file
}

export const REGISTERING: Readonly<Record<string, Journey>> = {
  'register an image': {
    withAssets: true,
    async run(her, seed) {
      const files = await someFiles(seed, 1, 0)
      await her.go('/')
      await chooseAtStart(her, files)
      await protect(her, allProtected(files))
    },
  },
  'register where a proof of work is asked for': {
    asksForProof: true,
    async before(her, seed) {
      const files = await someFiles(seed, 1, 0)
      her.fates = allProtected(files)
      await her.go('/')
      await chooseAtStart(her, files)
    },
    run: (her) => protect(her, her.fates),
  },
  'register by upload': {
    async before(her, seed) {
      const files = await someFiles(seed, 0, 1)
      her.fates = allProtected(files)
      await her.go('/')
      await chooseAtStart(her, files, true)
    },
    run: (her) => protect(her, her.fates),
  },
  'register several': {
    async before(her, seed) {
      const files = await someFiles(seed, 2, 2)
      her.fates = allProtected(files)
      await her.go('/')
      await chooseAtStart(her, files, true)
    },
    run: (her) => protect(her, her.fates),
  },
  'register while another window adds': {
    async before(her, seed) {
      const files = await someFiles(seed, 1, 1)
      her.fates = allProtected(files)
      await her.go('/')
      await chooseAtStart(her, files, true)
      her.proxy.whenHit(async ({ path, headers: { authorization } }) => {
        const [url] = /^\/v1\/cases\/[^/]+/.exec(path) ?? []
        if (url === undefined) return
        const payload = { images: [{ signals: [{ type: 'pdq', hash: randomHashText(), quality: 90 }] }] }
        const headers = { authorization: String(authorization) }
        await her.world.service.app.inject({ method: 'POST', url: `${url}/hashes`, headers, payload })
      })
    },
    run: (her) => protect(her, her.fates),
  },
  'register copies and a harmless image': {
    async before(her, seed) {
      const [file] = await someFiles(seed, 1, 0)
      const harmless = await harmlessImage(her.world)
      if (file === undefined) throw new Error('there is a file')
      her.fates = new Map<OwnFile, Fate>([
        [file, 'protected'],
        [harmless, 'refused'],
      ])
      await her.go('/')
      await chooseAtStart(her, [file, { ...file, name: 'copy.jpg' }, harmless])
    },
    run: (her) => protect(her, her.fates),
  },
  'register with extended protection': {
    async before(her, seed) {
      const files = await someFiles(seed, 1, 0)
      her.fates = allProtected(files)
      await her.go('/')
      await toChoosing(her, ['#extended'])
      await her.chooseAll(files)
    },
    async run(her) {
      await protect(her, her.fates)
      if (!(await stateOf(her)).case.extendedProtection) throw new Finding('the case has no extended protection')
    },
  },
}
