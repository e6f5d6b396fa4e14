// HMA sends its ratios as floats, such as `1.0`. JavaScript writes `1`, which strictly typed clients reject.

const WHOLE_RATIO = /"((?:matching_)?enabled_ratio)":([01])(?=[,}])/g

/** Changes keys only: the quotes in a JSON string are escaped, so the pattern does not match inside one. */
export function withFloats(json: string): string {
  return json.replace(WHOLE_RATIO, '"$1":$2.0')
}
