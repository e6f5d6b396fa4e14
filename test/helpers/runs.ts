// How often properties are tried. On every change: a small number, always with the same seed, so that a run is red only if the change is wrong. Once a
// day: many times that, with the day as the seed (TABIR_TEST_RUNS=10 TABIR_TEST_SEED=20261202).

import fc from 'fast-check'

const factor = Number(process.env['TABIR_TEST_RUNS'] ?? 1)

fc.configureGlobal({ seed: Number(process.env['TABIR_TEST_SEED'] ?? 1) })

export function runs(few: number): number {
  return Math.ceil(few * factor)
}
