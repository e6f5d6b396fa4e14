// Compiles the WebAssembly decoders while a child is idle, so that its first picture does not wait for that.

import { setFlagsFromString } from 'node:v8'
import { isDecoded } from '../../src/domain/media/media-formats.js'
import { answerFor } from './answer.js'

/**
 * Makes V8 optimise WebAssembly functions later. V8 of Node 20 optimises one after about 2 million bytes of it have run. A single HEIC file would so
 * have its largest functions optimised for 0.2 s, and hardly use them. Later versions of V8 wait for 13 million. A V8 that does not know the flag
 * ignores it.
 */
export function optimiseLater(): void {
  setFlagsFromString('--wasm-tiering-budget=20000000')
}

/**
 * Decodes small pictures, so that the decoders are compiled. Cost: 0.8 s of a core (bench/record/decoding.md). Never throws: a missing decoder fails
 * with the first picture that needs it.
 * @returns how many pictures were hashed.
 */
export async function warmUp(): Promise<number> {
  let hashed = 0
  for (let round = 0; round < ROUNDS; round++) {
    for (const picture of isDecoded('heif') ? [HEIC, JXL] : [JXL]) {
      const answer = await answerFor(Buffer.from(picture, 'base64'), 'query').catch(() => undefined)
      if (answer !== undefined && 'image' in answer) hashed++
    }
  }
  return hashed
}

/** How often each picture is decoded: V8 optimises functions only after they have run for a while. */
const ROUNDS = 5

/**
 * Runs `task` once, when there was no work for some time. Call `begin` when work begins, and `end` when it ends or at the start.
 * @param alarm sets a timer that calls `ring`, and returns a function that cancels it. Tests replace it.
 */
export function onceIdle(task: () => unknown, alarm: (ring: () => void) => () => void) {
  let isDone = false
  let cancel = () => {}
  return {
    begin: () => cancel(),
    end: () => {
      cancel()
      if (isDone) return
      cancel = alarm(() => {
        isDone = true
        task()
      })
    },
  }
}

/** Scene 1 of test/helpers/pictures.ts, 64 pixels wide and high, by x265 in ffmpeg. */
const HEIC = `
  AAAAGGZ0eXBoZWljAAAAAG1pZjFoZWljAAABKG1ldGEAAAAAAAAAIWhkbHIAAAAAAAAAAHBpY3QAAAAAAAAAAAAAAAAAAAAADnBpdG0AAAAAAAEAAAAeaW
  xvYwAAAABEAAABAAEAAAABAAABSAAAAkgAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAKxpcHJwAAAAj2lwY28AAAAUaXNwZQAAAAAA
  AABAAAAAQAAAAHNodmNDAQQIAAADAJ+oAAADAPAA/P34+AAADwOgAAEAF0ABDAH//wQIAAADAJ+oAAADAAAeugJAoQABACdCAQEECAAAAwCfqAAAAwAAHq
  AggQWW6kkba5oCAAADAAIAAAMAMhCiAAEAB0QBwXKwIkAAAAAVaXBtYQAAAAAAAAABAAECAYIAAAJQbWRhdAAAAkQoAa9YoWRTVQMiW3ifDDk7hVoduL+P
  yA+zI7Ufd4yPDTSHRcCFSZeYIAtoa8sroadUEj2kRrANKlnrJyMsrkRfpvuoQY2cwKptL5fOeib5mScqzeO/oHHA+1zDiM9Mbe7vqjECUAmJ4tDFTMQD7O
  lQ0yS4FxTWj4gaUsOug0NT9t0xsvcAl/k52pSelfr0GLLt35otUxlafZnU2fSshtQl9QDzZO6tObOdB+aR5zzHWfV2TgB/6J2r+4siHvImTLsba9smZ9xn
  tpSJ4Xxbdw6w1D/iwj8IALQNbSnRxOBMMFw6pdXMfO+sjPN8xwnQzOR715PDqnYN7rVN+zgnx99PvUCxQMXttfJjbiCFSc2o+tUaLn7AFyPfXZq1ah1BYH
  m5hKEWZhy1zRUecVeIkj2dc3/Zeaz6A7nSjnnr1S5ROndcYTaI8N/f8anM1xm3h3tA5g/YDv9aRkLNa6yzPmOc5sjFTsxD03ot0Jb0nbaajO69F754/ihO
  Tf2ioj1yf6g10WC/urhcVgaO/iRajQBru9nJ1X0cBL7AEu6M0oWYSTQqF2w/hP2Vw/JHZ5NjtDXbJXfDDm/9qhuKWkIUKafhiBTo/TZfhOpjXGoia+XunL
  MtvVPp6lBzQqVby0Xf5pIRYfWc+bTyM8lYyePEZR0aOHLMf29bpoTjPm2ZaT4WSJF7jDhdjbvLYWpx1uyqzlOQUD9kJ+8bV9e/isD8qsohHoxbTAAJmUBR
  sLBbx+yNYH1/SVX71TB2xr/HhkLKoaIvFKqc
`
/** Scene 3, 32 pixels wide and high, by libjxl. */
const JXL = `
  /wpHwE4ATIAgACAJ+TwAAFSojDJu8HKu58sPHRbTNq4ztNW2hSWJQ2TeSg5eXSpwyEAOCo9USYAUFBS4T4zBmBicY/52AODJ//8bgO/7vu////u+7/u+7/
  u+7/u+7//v+77v+77v+77v+77vn/H7vu/7vu/7vu/7vu+D8fu+7/u+7/s+AAAAANAAYQHD/TwBkKygqtJEQJYzC1uYPRSFlgJiED1SRclipduhSBqxIBB0
  BCQSICh/sNybAvgGqJACSQDsVhWPdyPeXU6PQBARxRHt7TpIZuCqNUmAg+Bcf8kMPsb9aiNnZDL7STBUNGszaUG2rjZgY6bUTygZZ7at5b2GgoEP/3wFKD
  a0ObGNyc4AHAxEOqFI8RhIzcr5crcu92YBBpIlmluD+QUSpc+nNkgQ3x+yahQC/1Spi2FU/mhdoqIKyMPhGqP5wiSfHNsleJ4IVipWYJRaEZXnvxt0UHCn
  O/2YevRKp8byO6xaMM6noKXksp/MEySP8hBD+mgEH2pPhPZM18WuSZKrQfW6CVOEzdY+FUWHh/j2n3the2/n5QQlO+BejZPwBeWO/mn9NnVJRi48gn6C9h
  73UT6r6VCAf3mXg1F9ObhY0PPxipTehKYMuEPKmO7fIrEd4A3lmb/lUR2RSCm2viV8ZwHZPt4qHCO5He2HuNIMQlf154Yo/WUC+3nb37NTTzm0xqi+ZbAh
  XghSr4EVeDyS4TImdz2pThUnju7VWzqF5BcPFqArqUPSkMM80nYp9XTwfthOSojUaEibG6fgh3mhbVxFBQcDzwI=
`
