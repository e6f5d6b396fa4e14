/** A Lua script that Redis runs in one step, and how many of its arguments are keys (`some`: it varies by call). */
export interface Script {
  readonly numberOfKeys: number | 'some'
  readonly lua: string
}
