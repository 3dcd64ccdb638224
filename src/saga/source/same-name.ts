import { ParcomoloError } from '../../base/index.ts'

/** Something that has its name from a file. */
export type NamedFile = { readonly name: string; readonly path: string }

/** Of files whose names others have, too: each path with the error that refuses it. */
export const namedTwice = (what: 'saga' | 'participant', files: readonly NamedFile[]): Map<string, ParcomoloError> => {
  const refused = new Map<string, ParcomoloError>()
  for (const [name, same] of Map.groupBy(files, (file) => file.name)) {
    if (same.length < 2) continue
    for (const { path } of same) refused.set(path, twice(what, name, same))
  }
  return refused
}

const twice = (what: string, name: string, same: readonly NamedFile[]): ParcomoloError => {
  const paths = same.map(({ path }) => `'${path}'`).join(' and ')
  return new ParcomoloError(
    'PARCOMOLO_SAGA_NAMED_TWICE',
    `${what} '${name}' is in ${paths}; expected each name in one file; rename one, or delete a file`,
    { details: { name, files: same.map(({ path }) => path) } }
  )
}
