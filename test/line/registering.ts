// How images are registered on the first page.

import { randomHashText } from '../helpers/service.js'
import { ask, operator } from '../helpers/trust.js'
import { allProtected, chooseAtStart, type Journey, protect, someFiles, stateOf, toChoosing } from './journey.js'
import { type Fate, Finding, type Person } from './person.js'
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

async function chosen(her: Person, seed: number, images: number, uploads: number): Promise<void> {
  const files = await someFiles(seed, images, uploads)
  her.fates = allProtected(files)
  await her.go('/')
  await chooseAtStart(her, files, uploads > 0)
}

const registering = (images: number, uploads: number): Journey => ({
  before: (her, seed) => chosen(her, seed, images, uploads),
  run: (her) => protect(her, her.fates),
})

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
    ...registering(1, 0),
  },
  'register by upload': registering(0, 1),
  'register several': registering(2, 2),
  'register while another window adds': {
    async before(her, seed) {
      await chosen(her, seed, 1, 1)
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
