import { shownUrl } from '../base/index.ts'
import { oneOf, optional, type Setting } from '../application/index.ts'

/** Where the operator finds sagas and participants, and where it asks what runs. */
export const operatorSettings = {
  definitions: {
    name: 'PARCOMOLO_DEFINITIONS',
    standard: 'files',
    meaning: 'Where the operator finds sagas: files of PARCOMOLO_SAGAS, or the resources of a Kubernetes namespace',
    ...oneOf('files', 'kubernetes')
  },
  namespace: {
    name: 'PARCOMOLO_NAMESPACE',
    standard: '',
    meaning: 'Namespace of the Saga and Participant resources; unset: that of the pod, or of the kubeconfig',
    ...optional({
      expected: "a namespace's name: up to 63 of a-z, 0-9 and -",
      parse: (text: string) => (/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text) ? text : undefined)
    })
  } satisfies Setting<string | null>,
  viewUrl: {
    name: 'PARCOMOLO_VIEW_URL',
    standard: '',
    meaning: 'REST interface that the operator asks how many sagas run, as http://HOST:PORT',
    ...optional({
      expected: 'an http or https URL without a path',
      parse: (text: string) => (/^https?:\/\/[\w.:[\]-]+\/?$/.test(text) ? text.replace(/\/$/, '') : undefined),
      shown: shownUrl
    })
  } satisfies Setting<string | null>
} as const
