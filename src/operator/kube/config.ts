import { KubeConfig } from '@kubernetes/client-node'
import { ParcomoloError } from '../../base/index.ts'

/** What the library falls back to where it has found nothing at all. */
const nothingFound = 'http://localhost:8080'

/**
 * The configuration of the environment: the file that is named here or in KUBECONFIG, else the service account of the
 * pod. Throws PARCOMOLO_OPERATOR_CONFIG where there is none.
 */
export const loadKubeConfig = (file?: string): KubeConfig => {
  const config = new KubeConfig()
  try {
    if (file === undefined) config.loadFromDefault()
    else config.loadFromFile(file)
  } catch (cause) {
    throw unusable(file, cause instanceof Error ? cause.message : String(cause), cause)
  }
  const server = config.getCurrentCluster()?.server ?? nothingFound
  if (server === nothingFound) throw unusable(file, 'it names no cluster')
  return config
}

/** Of the current context; that of the pod's service account is the pod's own. */
export const namespaceOf = (config: KubeConfig): string =>
  config.getContextObject(config.getCurrentContext())?.namespace ?? 'default'

const unusable = (file: string | undefined, reason: string, cause?: unknown): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_OPERATOR_CONFIG',
    `kubeconfig '${file ?? process.env['KUBECONFIG'] ?? 'of the pod'}' is unusable: ${reason.replace(/\.$/, '')}; ` +
      'expected a pod with a service account token, or in KUBECONFIG a file with a current context',
    { cause }
  )
