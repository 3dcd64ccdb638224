import { anyText, optional, type Setting, yesOrNo } from '../application/index.ts'

/** How participants that speak HTTP are called. */
export const courierSettings = {
  courierPrivate: {
    name: 'PARCOMOLO_COURIER_PRIVATE',
    standard: 'true',
    meaning:
      'Whether participants that speak HTTP may be at addresses of this machine and of private networks; false where ' +
      'not everybody who writes contracts may reach these',
    ...yesOrNo
  },
  courierSecrets: {
    name: 'PARCOMOLO_COURIER_SECRETS',
    standard: '',
    meaning: "Folder with a file for each secret that a contract's HTTP headers name; unset: there is none",
    ...optional(anyText('the path of a folder'))
  } satisfies Setting<string | null>
} as const
