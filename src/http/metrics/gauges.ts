// Gauges that are absent while their value is not known: 0 would be a claim, and the value of before a false one.

import { Gauge, type Registry } from 'prom-client'

export interface Gauges {
  one(name: string, help: string): (value: number | boolean | undefined) => void
  /** A gauge with one value per value of `label`. */
  by(label: string, name: string, help: string): (values: Iterable<readonly [string, number]> | undefined) => void
}

export function createGauges(registry: Registry): Gauges {
  return {
    one(name, help) {
      const gauge = new Gauge({ name, help, registers: [registry] })
      return (value) => {
        if (value === undefined) gauge.remove()
        else gauge.set(Number(value))
      }
    },
    by(label, name, help) {
      const gauge = new Gauge({ name, help, labelNames: [label], registers: [registry] })
      return (values) => {
        gauge.reset()
        for (const [of, value] of values ?? []) gauge.set({ [label]: of }, value)
      }
    },
  }
}
