/** What an object itself holds under a name. A plain `table[name]` also finds `constructor` and everything else that objects inherit. */
export function ownValue<Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}
