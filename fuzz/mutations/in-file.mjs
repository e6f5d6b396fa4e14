// One mutation for each pair of texts: what stands in the file once, and what replaces it. A third text says why no test can see it.

export function inFile(file, mutations, tests) {
  return mutations.map(([from, to, survives]) => ({ file, from, to, survives, tests }))
}

export const kernel = (file, mutations) => inFile(`src/search/kernel/${file}.ts`, mutations)
export const typescript = (file, mutations) => inFile(`src/search/${file}.ts`, mutations)
